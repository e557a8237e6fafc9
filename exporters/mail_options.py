"""Where `EmailService` gets its settings from, and how they become a `Mailer`."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict

from audit.errors import ConfigError
from exporters.brand import Brand
from exporters.clock import Clock, utc_now
from exporters.mail_addresses import to_allowed_domains
from exporters.mail_model import DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_BYTES, DEFAULT_MAX_RECIPIENTS
from exporters.mail_security import DEFAULT_TIMEOUT_S, SUBMISSION_PORT, Secret, Security

if TYPE_CHECKING:  # smtplib, ssl, tenacity and structlog come with the first service that can send
    from ssl import SSLContext

    from exporters.mail_sender import Mailer
    from exporters.mail_server import SmtpServer


class MailOptions(TypedDict, total=False):
    """What the specification leaves open about `EmailService`; each by keyword.

    smtp_username: what to sign in as, where it is not the sender's address (Amazon SES).
    security: instead of what the port stands for. `Security.PLAIN_LOOPBACK` alone does without TLS, to an inbox on this machine and
        without a password.
    tls_context: with other trusted authorities than the system's; it must check certificates.
    allowed_domains: mail goes to these domains and their subdomains only. None allows all, an empty list none.
    max_recipients: of one mail, cc and bcc included.
    max_bytes: of one mail as sent; attachments grow by 37 % on the way.
    max_attempts: how often to try, waiting 1, 2, 4 … seconds in between.
    timeout_s: for every single answer of the server.
    brand: whose name stands beside the sender's address and on alerts.
    clock: gives the mails' date, aware.
    sleep: waits between tries.
    """

    smtp_username: str | None
    security: Security | None
    tls_context: "SSLContext | None"
    allowed_domains: Iterable[str] | None
    max_recipients: int
    max_bytes: int
    max_attempts: int
    timeout_s: float
    brand: Brand
    clock: Clock
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccount:
    """Through which server we send, as whom: as given, nothing checked yet. Empty where nothing is known."""

    host: str
    port: str
    sender: str
    username: str
    password: Secret | None

    @classmethod
    def read(
        cls,
        host: str | None,
        port: int | str | None,
        sender: str | None,
        *,
        password: str | None,
        username: str | None,
    ) -> Self:
        """Take what is given, the rest from the environment."""
        word = password or os.environ.get("SENDER_PASSWORD")
        address = sender or os.environ.get("SENDER_EMAIL", "")
        return cls(
            host=host or os.environ.get("SMTP_SERVER", ""),
            port=str(port or os.environ.get("SMTP_PORT") or SUBMISSION_PORT),
            sender=address,
            username=username or os.environ.get("SMTP_USERNAME") or address,
            password=Secret(word) if word else None,
        )

    def require_all(self) -> None:
        """Check that nothing needed is missing.

        Raises:
            ConfigError: names the first variable that is.
        """
        if not self.host:
            raise ConfigError("SMTP_SERVER is not set: give your mail server's name, such as smtp.gmail.com")
        if not self.sender:
            raise ConfigError("SENDER_EMAIL is not set: give the address that mails come from")
        if not self.port.isdecimal():
            raise ConfigError("SMTP_PORT must be a number, such as 587")


def to_mailer(account: MailAccount, options: MailOptions) -> "Mailer":
    """Put a mailer together.

    Raises:
        ConfigError: a setting is missing or cannot be right; names it.
    """
    from exporters.mail_letter import MailRules, Sender
    from exporters.mail_sender import Mailer

    account.require_all()
    return Mailer(
        server=_server(account, options),
        sender=Sender(account.sender, options.get("brand", Brand()).name),
        rules=MailRules(
            allowed_domains=to_allowed_domains(options.get("allowed_domains")),
            max_recipients=options.get("max_recipients", DEFAULT_MAX_RECIPIENTS),
            max_bytes=options.get("max_bytes", DEFAULT_MAX_BYTES),
        ),
        max_attempts=options.get("max_attempts", DEFAULT_MAX_ATTEMPTS),
        clock=options.get("clock", utc_now),
        sleep=options.get("sleep", time.sleep),
    )


def _server(account: MailAccount, options: MailOptions) -> "SmtpServer":
    from ssl import create_default_context

    from exporters.mail_server import SmtpServer

    port = int(account.port)
    return SmtpServer(
        host=account.host,
        port=port,
        security=options.get("security") or Security.for_port(port),
        username=account.username,
        password=account.password,
        timeout_s=options.get("timeout_s", DEFAULT_TIMEOUT_S),
        tls_context=options.get("tls_context") or create_default_context(),
    )
