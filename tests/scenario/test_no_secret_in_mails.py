"""A bot that signs in to a mail server: no mail carries a secret, and nothing that is said of one."""

import os
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography.hazmat.primitives.serialization import Encoding

from bot.sandbox.tour import demo_report
from tests.fakes.authority import Authority
from tests.integration.mail.conftest import USER, Inbox, Serve, authority, serve
from tests.scenario.planted import ENVIRONMENT, Planted, leaks, run_apart
from tests.shell import run_in

__all__ = ["authority", "serve"]
pytestmark = [pytest.mark.process, pytest.mark.slow]


class Knowing(Inbox):
    """A mail server that knows the password."""

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.commands.append("AUTH")
        return AuthResult(success=data.password.decode() == ENVIRONMENT["SENDER_PASSWORD"])


def parts_of(mail: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a mail as it was sent, and what its parts say."""
    yield "mail", mail
    for part in message_from_bytes(mail).walk():
        yield f"part {part.get_content_type()}", part.get_payload(decode=True) or b""


@pytest.mark.parametrize("server", [Knowing(), Inbox(echoes_password=True)], ids=["taken", "refused"])
def test_no_secret_is_in_a_mail(
    server: Inbox, tmp_path: Path, hidden: Planted, serve: Serve, authority: Authority
) -> None:
    """A server that takes the password gets mails without it; one that says it back is not quoted."""
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    environment = {
        **hidden.environment,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path / 'bot' / 'mail.db'}",
        "SSL_CERT_FILE": str(trusted),
        "SMTP_PORT": str(serve(server).port),
        "SENDER_EMAIL": USER,
    }
    with demo_report() as report:
        for words in (("db", "upgrade"), ("report", "ingest", str(report))):
            assert run_in(environment, *words).returncode == 0
    sent = run_apart(environment, "-m", "bot", "report", "email", "ciso@northwind.example")
    told = sent.stdout + sent.stderr
    assert "AUTH" in server.commands, told
    assert (sent.returncode == 0) is bool(server.envelopes), told
    seen = [("told", told), *(each for envelope in server.envelopes for each in parts_of(envelope.content))]
    assert leaks(seen, hidden.marks) == set()
