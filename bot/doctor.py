"""`countersign doctor`: tries every connection the bot will need, and says what to do about each that fails."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.checks import Check, look
from bot.cloud_checks import check_clouds
from bot.config import Config, read_config
from bot.playbooks import load_playbooks
from bot.settings import Settings
from bot.slack_checks import check_slack
from bot.style import make_brand
from remediation.service import utc_now

if TYPE_CHECKING:
    from exporters.mail_sender import Mailer


def examine(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> Iterator[Check]:
    """Yield one check after the other, each as soon as it is done."""
    yield look("configuration", lambda: _config(settings))
    yield look("database", lambda: _database(settings))
    yield from check_slack(settings, now=now)
    yield _mail(settings)
    yield from check_clouds(settings)


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
    return f"up to date, the trail's triggers are there, {head.seq if head else 0} trail entries"


def _mail(settings: Settings) -> Check:
    """Sign in to the mail server. A bot without one is well, it just sends no mail; settings that make no sense are told."""
    from bot.mail import make_email_service

    def sign_in() -> str:
        config: Config = read_config(settings.countersign_config)
        service = make_email_service(settings, config)
        return _sign_in(service.mailer)

    check = look("mail", sign_in)
    return check if check.is_well or os.environ.get("SMTP_SERVER") else replace(check, is_well=None)


def _sign_in(mailer: "Mailer") -> str:
    server = mailer.check()
    signed_in = "signed in" if server.is_signed_in else "without signing in"
    return f"{server.name}, {server.tls or 'no TLS'}, {signed_in}"
