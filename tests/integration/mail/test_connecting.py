# ruff: noqa: N802 - aiosmtpd finds its hooks by these names
"""Servers that must not be trusted, and sign-ins that fail: nothing is sent, and the words help."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from audit.errors import ConfigError
from exporters import EmailService
from exporters.mail_report import DeliveryError
from exporters.mail_security import Security
from tests.fakes.authority import Authority
from tests.integration.mail.conftest import PASSWORD, USER, Connect, Inbox, Serve

ALICE = "alice@example.com"


class Deaf(Inbox):
    """Takes the connection and answers too late."""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        await asyncio.sleep(30)
        return responses


Dial = Callable[..., EmailService]


@pytest.fixture
def dial(serve: Serve, inbox: Inbox, connect: Connect) -> Dial:
    """Connect to a server with a certificate of the test's choice."""

    def make(certificate: Path, security: Security = Security.STARTTLS) -> EmailService:
        return connect(serve(inbox, security=security, certificate=certificate), security=security)

    return make


def failure(service: EmailService) -> str:
    """Send, see it fail, return the words."""
    assert service.send_report([ALICE], "Audit", "<p>x") is False
    assert isinstance(service.last_error, DeliveryError)
    assert list(service.last_error.report.refused) == [ALICE]
    return str(service.last_error)


def test_a_connection_is_tested_without_sending(service: EmailService, inbox: Inbox) -> None:
    assert service.test_connection() is True
    assert inbox.commands == ["AUTH", "QUIT"]
    check = service.mailer.check()
    assert check.is_signed_in
    assert check.tls.startswith("TLSv1.")
    assert check.max_bytes == 33_554_432


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_strange_certificate_is_refused(
    dial: Dial, inbox: Inbox, stranger: Authority, naps: list[float], security: Security
) -> None:
    service = dial(stranger.issue("127.0.0.1"), security)
    assert "shows a certificate we cannot trust" in failure(service)
    assert naps == []
    assert "AUTH" not in inbox.commands


@pytest.mark.parametrize(
    ("host", "age", "words"),
    [("127.0.0.9", "fresh", "IP address mismatch"), ("127.0.0.1", "expired", "expired")],
)
def test_a_certificate_must_fit(dial: Dial, authority: Authority, host: str, age: str, words: str) -> None:
    service = dial(authority.issue(host, is_expired=age == "expired"))
    assert words in failure(service)
    assert service.test_connection() is False
    assert words in str(service.last_error)


def test_a_server_without_starttls_gets_nothing(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox, security=Security.PLAIN_LOOPBACK))
    assert "offers no STARTTLS, so neither password nor mail was sent" in failure(service)
    assert not {"AUTH", "DATA"} & set(inbox.commands)


def test_without_a_password_tls_is_still_demanded(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox, security=Security.PLAIN_LOOPBACK), None)
    assert "offers no STARTTLS" in failure(service)


def test_a_wrong_password_is_told_without_the_password(
    serve: Serve, connect: Connect, naps: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = Inbox(echoes_password=True)
    service = connect(serve(inbox), "wrong-Geheimnis")
    with structlog.testing.capture_logs() as logs:
        words = failure(service)
    assert "refuses the sign-in: 5.7.8 not accepted ([hidden])" in words
    assert "app password" in words
    assert naps == []
    shown = capsys.readouterr()
    assert "Geheimnis" not in words + repr(logs) + shown.out + shown.err
    assert logs[-1]["log_level"] == "warning"


def test_a_server_without_sign_in_is_named(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox, auth_exclude_mechanism=["PLAIN", "LOGIN"]))
    assert "cannot be used: No suitable authentication method found" in failure(service)


def test_tls_where_starttls_is_spoken_is_explained(serve: Serve, inbox: Inbox, connect: Connect) -> None:
    service = connect(serve(inbox), security=Security.TLS)
    assert "does not agree on TLS" in failure(service)
    assert "465 begins with TLS" in failure(service)


def test_a_server_that_is_not_there_is_tried_again(connect: Connect, naps: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        service = EmailService("127.0.0.1", taken.getsockname()[1], USER, PASSWORD, sleep=naps.append)
        assert "cannot be reached: Connection refused" in failure(service)
    assert naps == [1, 2, 4]


def test_a_silent_server_is_given_up(serve: Serve, connect: Connect, naps: list[float]) -> None:
    service = connect(serve(Deaf()), timeout_s=0.2, max_attempts=2)
    assert "did not answer within 0.2 s" in failure(service)
    assert naps == [1]


def test_missing_settings_are_named_when_needed() -> None:
    service = EmailService()
    assert service.test_connection() is False
    assert str(service.last_error).startswith("SMTP_SERVER is not set")
    with pytest.raises(ConfigError, match="SMTP_SERVER is not set"):
        _ = service.mailer
