"""The mail server we hand mails to: how it is reached, encrypted and signed in to.

A password never travels in the clear: STARTTLS is demanded, not hoped for, and a server that does not offer it (or somebody
between us who strips the offer) gets neither password nor mail.
"""

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from audit.errors import ConfigError
from exporters.mail_security import DEFAULT_TIMEOUT_S, SUBMISSION_PORT, Secret, Security

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")
_HIGHEST_PORT = 65535
_HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where the server is and how to talk to it.

    `username` and `password` belong together; without them nobody signs in (a relay that knows this machine). `timeout_s` bounds
    every single wait, not the whole conversation.

    Raises:
        ConfigError: a value that cannot be right, or one that would send a password or trust a stranger in the clear.
    """

    host: str
    port: int = SUBMISSION_PORT
    security: Security = Security.STARTTLS
    username: str = ""
    password: Secret | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    tls_context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ConfigError(
                "SMTP_SERVER must be a host name or address without a port, such as smtp.gmail.com"
            )
        if not 0 < self.port <= _HIGHEST_PORT:
            raise ConfigError(f"SMTP_PORT must be between 1 and {_HIGHEST_PORT}")
        if self.tls_context.verify_mode is not ssl.CERT_REQUIRED or not self.tls_context.check_hostname:
            raise ConfigError("tls_context must check the server's certificate and its name")
        self._check_sign_in()

    def _check_sign_in(self) -> None:
        if self.security is Security.PLAIN_LOOPBACK and not _is_loopback(self.host):
            raise ConfigError(
                f"SMTP_SERVER: mail without TLS stays on this machine, and {self.host} is not it"
            )
        if self.security is Security.PLAIN_LOOPBACK and self.password:
            raise ConfigError(
                "SENDER_PASSWORD: no password is sent without TLS; leave it out for a local inbox"
            )
        # The standard library encodes credentials as ASCII, and its error would carry them.
        if self.password and not (self.password.reveal() + self.username).isascii():
            raise ConfigError("SENDER_PASSWORD and user name may hold ASCII characters only")

    @property
    def name(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"

    @contextmanager
    def connected(self) -> Iterator[smtplib.SMTP]:
        """Connect, encrypt, sign in; take leave at the end.

        Raises:
            OSError: any of it failed (`smtplib`'s errors are among them); `exporters.mail_faults` gives it words.
        """
        client = self._open()
        try:
            if self.security is Security.STARTTLS:
                client.starttls(context=self.tls_context)
            client.ehlo_or_helo_if_needed()
            if self.password:
                client.login(self.username, self.password.reveal())
            yield client
        finally:
            # The mail is settled by now; a server that is rude at parting must not make us send it again.
            with suppress(OSError):
                client.quit()
            client.close()

    def scrub(self, text: str) -> str:
        """Return a server's words without our password, in any form in which it travelled."""
        for form in self._secret_forms():
            text = text.replace(form, _HIDDEN)
        return text

    def _open(self) -> smtplib.SMTP:
        if self.security is Security.TLS:
            return smtplib.SMTP_SSL(
                self.host, self.port, _own_name(), timeout=self.timeout_s, context=self.tls_context
            )
        return smtplib.SMTP(self.host, self.port, _own_name(), timeout=self.timeout_s)

    def _secret_forms(self) -> list[str]:
        if not self.password or not (word := self.password.reveal()):
            return []
        return [_base64(f"\0{self.username}\0{word}"), _base64(word), word]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _own_name() -> str:
    """Return how we greet: never looked up in the DNS, which takes seconds where there is none (RFC 5321 §4.1.3 allows a literal)."""
    name = socket.gethostname()
    return name if "." in name and _HOST.fullmatch(name) else "[127.0.0.1]"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
