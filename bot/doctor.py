"""`countersign doctor`: tries every connection the bot will need, and says what to do about each that fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.errors import ConfigError, CountersignError
from bot.config import Config, read_config
from bot.connecting import ask_who_we_are
from bot.playbooks import load_playbooks
from bot.settings import Settings
from bot.style import make_brand

if TYPE_CHECKING:
    from exporters.mail_sender import Mailer


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is well, and what was found. `is_well` is None where it is not set up."""

    name: str
    is_well: bool | None
    found: str


def examine(settings: Settings) -> Iterator[Check]:
    """Yield one check after the other, each as soon as it is done."""
    yield _check("configuration", lambda: _config(settings))
    yield _check("database", lambda: _database(settings))
    yield _check("slack", lambda: _slack(settings))
    yield _mail(settings)


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, is_well=True, found=look())
    except CountersignError as error:
        return Check(name, is_well=False, found=str(error))


def _config(settings: Settings) -> str:
    config = read_config(settings.countersign_config)
    make_brand(settings, config)
    playbooks = load_playbooks(config, beside=settings.config_folder)
    links = "links to reports are given out" if settings.report_links() else "no public address, so no links"
    return (
        f"{len(config.policy.approvers)} approvers named, {config.policy.required_approvals} needed, "
        f"{len(config.policy.rules)} rules; "
        f"{len(playbooks)} playbooks; {links}"
    )


def _database(settings: Settings) -> str:
    from storage import Stores

    stores = Stores.open(settings.database_url)
    try:
        head = stores.trail.head()
    finally:
        stores.close()
    return f"up to date, {head.seq if head else 0} trail entries"


def _slack(settings: Settings) -> str:
    from bot.app import make_client

    settings.require_slack()
    connection = ask_who_we_are(make_client(settings))
    return f"{connection.bot_name} in {connection.team}"


def _mail(settings: Settings) -> Check:
    """Sign in to the mail server. A bot without mail settings is well: it just sends none."""
    from bot.mail import make_email_service

    try:
        config: Config = read_config(settings.countersign_config)
        mailer = make_email_service(settings, config).mailer
    except ConfigError as error:
        return Check("mail", is_well=None, found=str(error))
    return _check("mail", lambda: _sign_in(mailer))


def _sign_in(mailer: "Mailer") -> str:
    server = mailer.check()
    signed_in = "signed in" if server.is_signed_in else "without signing in"
    return f"{server.name}, {server.tls or 'no TLS'}, {signed_in}"
