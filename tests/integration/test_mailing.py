"""A stored report as a mail, through the use case that Slack and the shell share, to a real server."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from audit.actor import Actor
from audit.errors import InputError, RefusedError
from audit.ingest import read_report
from exporters import EmailService
from exporters.mail_security import Security
from exporters.mail_writer import PLAIN_MAIL
from exporters.mailing import MailRequest, MailService
from exporters.service import ExportService
from storage import Stores
from tests.databases import stores_in_memory

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANA = Actor(workspace="T1", slack_id="U0ANA", email="ana@northwind.example")


class Mailbox(MessageHandler):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list = []

    def handle_message(self, message: object) -> None:
        self.mails.append(message)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


class FreePort(Controller):
    """Listens on a free port of this machine, which aiosmtpd would otherwise not know itself."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    controller = FreePort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = stores_in_memory()
    body = b'{"findings": [{"id": "1", "title": "Door <b>open</b>", "severity": "CRITICAL"}]}'
    stores.reports.ingest(read_report(io.BytesIO(body), "door.json"), actor=ANA, now=NOW)
    yield stores
    stores.close()


@pytest.fixture
def service(stores: Stores, server: Controller) -> MailService:
    email = EmailService(
        "127.0.0.1",
        server.port,
        "countersign@northwind.example",
        security=Security.PLAIN_LOOPBACK,
        allowed_domains=["northwind.example"],
    )
    return MailService(
        exports=ExportService(reports=stores.reports, trail=stores.trail, clock=lambda: NOW),
        mailer=lambda: email.mailer,
        style=PLAIN_MAIL,
        link_to=lambda report_id: f"https://bot.example/reports/{report_id}?signature=1",
    )


def kinds(stores: Stores) -> list[str]:
    return [orjson.loads(entry.body)["kind"] for entry in stores.trail.stream()]


def test_the_mail_has_the_button_the_file_and_a_trail_entry(
    service: MailService, stores: Stores, mailbox: Mailbox
) -> None:
    sent = service.send(MailRequest(recipients=["ciso@northwind.example"], actor=ANA, format="csv"))
    assert sent.accepted == ("ciso@northwind.example",)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Security report: 1 critical, 0 high in door.json"
    parts = {part.get_content_type(): part for part in mail.walk()}
    page = parts["text/html"].get_payload(decode=True).decode()
    assert "https://bot.example/reports/r-" in page
    assert "Door &lt;b&gt;open&lt;/b&gt;" in page
    assert "Door <b>open</b>" in parts["text/plain"].get_payload(decode=True).decode()
    assert b"Door" in parts["text/csv"].get_payload(decode=True)
    assert kinds(stores) == ["report.ingested", "report.exported"]
    assert (
        "ciso@northwind.example"
        in orjson.loads(list(stores.trail.stream())[-1].body)["detail"]["destination"]
    )


@pytest.mark.parametrize(
    ("recipients", "says"),
    [
        (["ciso@elsewhere.example"], "elsewhere.example"),
        (["not an address"], "not an address"),
        (["a@northwind.example\r\nBcc: x@northwind.example"], ""),
        ([], ""),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_recorded(
    service: MailService, stores: Stores, mailbox: Mailbox, recipients: list[str], says: str
) -> None:
    with pytest.raises((InputError, RefusedError), match=says or None):
        service.send(MailRequest(recipients=recipients, actor=ANA))
    assert mailbox.mails == []
    assert kinds(stores) == ["report.ingested"]


def test_an_unknown_format_sends_nothing(service: MailService, mailbox: Mailbox) -> None:
    with pytest.raises(InputError, match="no export format"):
        service.send(MailRequest(recipients=["ciso@northwind.example"], actor=ANA, format="docx"))
    assert mailbox.mails == []
