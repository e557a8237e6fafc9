# ruff: noqa: N802 - aiosmtpd finds its hooks by these names
"""A real mail server per test: STARTTLS or TLS from the first byte, sign-in, certificates of an authority of our own."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from exporters import EmailService
from exporters.mail_security import Security
from tests.conftest import NOW
from tests.fakes.authority import Authority

USER = "bot@example.com"
PASSWORD = "hunter2-Zwiebel"


@dataclass
class Inbox:
    """Keeps what arrives; answers as told.

    `replies` maps a command and its address (`RCPT a@b.c`, `DATA`, `QUIT`) to the answers of its first calls, then it is friendly.
    """

    echoes_password: bool = False
    envelopes: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from, envelope.mail_options = address, options
        return self._answer(f"MAIL {address}")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if (reply := self._answer(f"RCPT {address}")).startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if (reply := self._answer("DATA")).startswith("250"):
            self.envelopes.append(envelope)
            self.sessions.append(session)
        if reply.endswith("and hang up"):
            assert server.transport is not None
            server.transport.abort()
        return reply

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self._answer("QUIT", "221 bye")

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.commands.append("AUTH")
        if (data.login, data.password) == (USER.encode(), PASSWORD.encode()):
            return AuthResult(success=True)
        words = f" ({data.password.decode()})" if self.echoes_password else ""
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 not accepted{words}")

    def _answer(self, command: str, usual: str = "250 fine") -> str:
        self.commands.append(command)
        waiting = self.replies.get(command, [])
        return waiting.pop(0) if waiting else usual


class MailServer(Controller):
    """Listens on a free port of this machine."""

    def __init__(self, inbox: Inbox, **settings: Any) -> None:
        super().__init__(inbox, hostname="127.0.0.1", port=0, server_hostname="mail.test", **settings)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.found(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.found(tmp_path_factory.mktemp("stranger"))


Serve = Callable[..., MailServer]


@pytest.fixture
def serve(authority: Authority) -> Iterator[Serve]:
    """Start servers; stop them at the end."""
    running: list[MailServer] = []

    def start(
        inbox: Inbox,
        *,
        security: Security = Security.STARTTLS,
        certificate: Path | None = None,
        **settings: Any,
    ) -> MailServer:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate or authority.issue("127.0.0.1"))
        tls = {Security.STARTTLS: {"tls_context": context}, Security.TLS: {"ssl_context": context}}
        sign_in = {"authenticator": inbox.authenticate, "auth_require_tls": security is Security.STARTTLS}
        running.append(MailServer(inbox, **tls.get(security, {}), **sign_in, **settings))
        running[-1].start()
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def naps() -> list[float]:
    """Collect how long the service would have slept."""
    return []


Connect = Callable[..., EmailService]


@pytest.fixture
def connect(authority: Authority, naps: list[float]) -> Connect:
    """Return a service for a server, trusting our authority; never sleeps."""

    def make(server: MailServer, password: str | None = PASSWORD, **options: Any) -> EmailService:
        usual = {"tls_context": authority.trusting(), "clock": lambda: NOW, "sleep": naps.append}
        return EmailService("127.0.0.1", server.port, USER, password, **{**usual, **options})

    return make


@pytest.fixture
def service(serve: Serve, inbox: Inbox, connect: Connect) -> EmailService:
    """Return a service signed in to the inbox over STARTTLS."""
    return connect(serve(inbox))
