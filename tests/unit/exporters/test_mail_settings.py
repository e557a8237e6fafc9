"""Where settings come from, and which ones are refused before anything is sent."""

import pickle
import smtplib
import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest

from audit.errors import ConfigError, CountersignError
from exporters.email_service import EmailService
from exporters.mail_faults import Fault, to_fault
from exporters.mail_report import DeliveryError, DeliveryReport, Refusal
from exporters.mail_security import Secret, Security
from exporters.mail_server import SmtpServer

SERVER = SmtpServer(host="mail.example.com", username="bot", password=Secret("hunter2"))


def a_service(**options: Any) -> EmailService:
    return EmailService("mail.example.com", 587, "bot@example.com", "hunter2", **options)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SMTP_SERVER": "smtp.gmail.com",
        "SMTP_PORT": "465",
        "SENDER_EMAIL": "security@company.com",
        "SENDER_PASSWORD": "app-password",
    }.items():
        monkeypatch.setenv(name, value)
    mailer = EmailService().mailer
    assert (mailer.server.name, mailer.server.security) == ("smtp.gmail.com:465", Security.TLS)
    assert (mailer.sender.address, mailer.server.username) == ("security@company.com", "security@company.com")
    assert mailer.server.password is not None
    assert mailer.server.password.reveal() == "app-password"


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_SERVER", "SMTP_PORT", "SENDER_EMAIL", "SENDER_PASSWORD", "SMTP_USERNAME"):
        monkeypatch.setenv(name, "1")
    server = a_service(smtp_username="AKIAEXAMPLE").mailer.server
    assert (server.name, server.username) == ("mail.example.com:587", "AKIAEXAMPLE")
    assert server.password is not None
    assert server.password.reveal() == "hunter2"


def test_the_user_name_may_differ_from_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_USERNAME", "AKIAEXAMPLE")
    mailer = a_service().mailer
    assert (mailer.server.username, mailer.sender.address) == ("AKIAEXAMPLE", "bot@example.com")


@pytest.mark.parametrize(
    ("port", "security"),
    [(465, "tls"), (587, "starttls"), (25, "starttls"), (2587, "starttls"), (None, "starttls")],
)
def test_the_port_says_how_to_encrypt(port: int | None, security: str) -> None:
    assert EmailService("mail.example.com", port, "bot@example.com").mailer.server.security == security


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((None, 587, "a@b.example"), "SMTP_SERVER is not set"),
        (("mail.example.com", 587, None), "SENDER_EMAIL is not set"),
        (("mail.example.com", "587x", "a@b.example"), "SMTP_PORT must be a number"),
        (("mail.example.com", 70_000, "a@b.example"), "SMTP_PORT must be between"),
        (("mail.example.com:587", 587, "a@b.example"), "SMTP_SERVER must be a host name"),
        (("mail.example.com\n", 587, "a@b.example"), "SMTP_SERVER must be a host name"),
        (("mail.example.com", 587, "Bot <a@b.example>"), "SENDER_EMAIL"),
        (("mail.example.com", 587, "a@b.example", "Schlüssel"), "ASCII characters only"),
    ],
)
def test_a_wrong_setting_is_named(given: tuple[Any, ...], named: str) -> None:
    service = EmailService(*given)
    with pytest.raises(ConfigError, match=named) as caught:
        _ = service.mailer
    assert "Schlüssel" not in str(caught.value)
    assert service.send_report(["x@y.example"], "Audit", "<p>x</p>") is False
    assert str(service.last_error) == str(caught.value)


def test_mail_in_the_clear_stays_on_this_machine() -> None:
    for host in ("mail.example.com", "10.0.0.1", "127.0.0.1.example.com", "0.0.0.0"):  # noqa: S104 - must be refused
        service = EmailService(host, 25, "a@b.example", security=Security.PLAIN_LOOPBACK)
        with pytest.raises(ConfigError, match="stays on this machine"):
            _ = service.mailer
    for host in ("127.0.0.1", "localhost", "::1"):
        service = EmailService(host, 25, "a@b.example", security=Security.PLAIN_LOOPBACK)
        assert service.mailer.server.host == host


def test_no_password_goes_in_the_clear_even_here() -> None:
    service = EmailService("127.0.0.1", 25, "a@b.example", "hunter2", security=Security.PLAIN_LOOPBACK)
    with pytest.raises(ConfigError, match="no password is sent without TLS"):
        _ = service.mailer


def test_certificates_are_always_checked() -> None:
    trusting_anybody = ssl.create_default_context()
    trusting_anybody.check_hostname = False
    with pytest.raises(ConfigError, match="must check the server's certificate"):
        _ = a_service(tls_context=trusting_anybody).mailer
    trusting_anybody.verify_mode = ssl.CERT_NONE
    with pytest.raises(ConfigError, match="must check the server's certificate"):
        _ = a_service(tls_context=trusting_anybody).mailer


def test_a_mailer_tries_at_least_once() -> None:
    with pytest.raises(ConfigError, match="max_attempts"):
        _ = a_service(max_attempts=0).mailer


def test_a_secret_shows_and_writes_itself_nowhere() -> None:
    service = a_service()
    for shown in (repr(service), str(vars(service)), repr(service.mailer), f"{Secret('hunter2')}"):
        assert "hunter2" not in shown
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(Secret("hunter2"))


def test_an_unknown_report_format_gets_the_list() -> None:
    with pytest.raises(CountersignError, match="“docx” is none of pdf, html"):
        a_service().send_report_with_attachment(["a@b.example"], "Audit", "<p>x</p>", "report.docx", "docx")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            Fault(reason="SMTP_SERVER: the name mail.example.com is not known (Name or service not known)"),
        ),
        (
            socket.gaierror(socket.EAI_AGAIN, "Try again"),
            Fault(reason="SMTP_SERVER: the name mail.example.com is not known (Try again)", is_temporary=True),
        ),
        (PermissionError("loopback only"), Fault(reason="mail.example.com:587 may not be reached: loopback only")),
        (TimeoutError(), Fault(reason="mail.example.com:587 did not answer within 20 s", is_temporary=True)),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            Fault(reason="mail.example.com:587 cannot be reached: Connection reset by peer", is_temporary=True),
        ),
        (smtplib.SMTPConnectError(421, b"4.3.2 closing"), Fault(reason="4.3.2 closing", code=421, is_temporary=True)),
        (smtplib.SMTPConnectError(554, b"5.7.1 go away"), Fault(reason="5.7.1 go away", code=554)),
        (
            smtplib.SMTPServerDisconnected("gone"),
            Fault(reason="mail.example.com:587 closed the connection", is_temporary=True),
        ),
    ],
)  # fmt: skip
def test_every_failure_has_words(error: OSError, fault: Fault) -> None:
    assert to_fault(error, SERVER) == fault


@pytest.mark.parametrize("form", ["hunter2", "aHVudGVyMg==", "AGJvdABodW50ZXIy"])
def test_a_server_that_repeats_the_password_is_not_quoted(form: str) -> None:
    fault = to_fault(smtplib.SMTPAuthenticationError(535, f"no: {form}\r\n\x1b[31m".encode()), SERVER)
    assert "no: [hidden] \u241b[31m" in fault.reason


def test_a_report_names_whom_and_why() -> None:
    refused = {f"p{number:02}@a.example": Refusal(550, "no") for number in range(12)}
    report = DeliveryReport(
        message_id="<1@b>", accepted=("ok@a.example",), refused={**refused, "z@a.example": Refusal(0, "gone")}
    )
    words = report.explain()
    assert words.startswith("Mail accepted for 1 of 14. z@a.example: gone; p00@a.example, ")
    assert words.endswith("p09@a.example and 2 more: 550 no")
    with pytest.raises(DeliveryError) as caught:
        report.require_complete()
    assert caught.value.report is report
    assert (
        DeliveryReport(message_id="<1@b>", accepted=("a@b.example",)).explain() == "Mail accepted for 1 of 1."
    )


def test_importing_the_service_is_cheap() -> None:
    program = (
        "import sys, exporters.email_service;"
        "print([name for name in ('smtplib', 'ssl', 'structlog', 'tenacity', 'jinja2', 'css_inline') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
