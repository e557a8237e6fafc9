"""The demo's inbox: mails over a real connection, what is kept of them, and who may look."""

import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from bot.sandbox import PageSetup, SlackStandIn
from bot.sandbox.cloud import DemoCloud
from bot.sandbox.demo import bot_environment
from bot.sandbox.inbox import MOST_BYTES, MOST_MAILS, Inbox
from bot.sandbox.tour import page_setup
from exporters.email_service import EmailService
from exporters.mail_security import Security
from tests.endings import Later

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SENDER = "countersign@northwind.example"
CISO = "ciso@northwind.example"
SECRET = "hidden@northwind.example"
HOSTILE = "<h1>Hello</h1><script>alert(1)</script>"
FILE = ("findings.csv", b"a,b\n1,2\n", "text/csv")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox.start(clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def slack(inbox: Inbox, later: Later) -> Iterator[SlackStandIn]:
    standin = SlackStandIn.start(page=PageSetup(inbox=inbox))
    yield standin
    later(standin.stop)


@pytest.fixture
def visitor(slack: SlackStandIn) -> Iterator[httpx.Client]:
    """A browser that opened the printed address."""
    with httpx.Client(base_url=slack.base_url, follow_redirects=True) as browser:
        assert browser.get(slack.page_url).status_code == 200
        yield browser


def service(inbox: Inbox) -> EmailService:
    return EmailService("127.0.0.1", inbox.port, SENDER, security=Security.PLAIN_LOOPBACK, max_attempts=1)


def send(inbox: Inbox, content: bytes | EmailMessage, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", inbox.port, "[127.0.0.1]") as client:
        raw = content if isinstance(content, bytes) else content.as_bytes()
        client.sendmail(SENDER, recipients or (CISO,), raw)


def letter(subject: str = "Report", text: str = "Hello", html: str = "", **files: bytes) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, CISO, subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    for name, content in files.items():
        message.add_attachment(content, maintype="text", subtype="html", filename=f"{name}.html")
    return message


def test_a_mail_of_the_bots_service_is_taken_apart(inbox: Inbox) -> None:
    assert service(inbox).send_report(CISO, "Weekly", "<h1>Grüße</h1>", [FILE], "cc@b.example", SECRET)
    mail = inbox.wait_for()
    assert (mail.at, mail.sender, mail.subject) == (NOW, SENDER, "Weekly")
    assert mail.author == f"Countersign <{SENDER}>"
    assert mail.recipients == (CISO, "cc@b.example", SECRET)
    assert (mail.to, mail.cc, mail.bcc) == ((CISO,), ("cc@b.example",), (SECRET,))
    assert "<h1" in mail.html
    assert "Grüße" in mail.text
    assert [(a.name, a.media_type, a.content) for a in mail.attachments] == [
        ("findings.csv", "text/csv", b"a,b\n1,2\n")
    ]


def test_the_newest_comes_first_and_the_oldest_is_forgotten(inbox: Inbox) -> None:
    with smtplib.SMTP("127.0.0.1", inbox.port, "[127.0.0.1]") as client:
        for number in range(MOST_MAILS + 2):
            client.sendmail(SENDER, CISO, letter(f"Mail {number}").as_bytes())
    subjects = [mail.subject for mail in inbox.mails()]
    assert subjects == [f"Mail {number}" for number in range(MOST_MAILS + 1, 1, -1)]


def test_all_together_stay_below_a_size(inbox: Inbox) -> None:
    line = b"x" * 998 + b"\r\n"
    with smtplib.SMTP("127.0.0.1", inbox.port, "[127.0.0.1]") as client:
        for number in range(5):
            client.sendmail(SENDER, CISO, f"Subject: {number}\r\n\r\n".encode() + line * 9_000)
    assert [mail.subject for mail in inbox.mails()] == ["4", "3", "2", "1"]
    assert sum(mail.size for mail in inbox.mails()) < MOST_BYTES


def test_a_mail_that_is_too_large_is_refused() -> None:
    with Inbox.start(largest=5_000) as inbox:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            send(inbox, letter(text="word\n" * 2_000))
        assert refused.value.smtp_code == 552
        send(inbox, letter("Small"))
        assert [mail.subject for mail in inbox.mails()] == ["Small"]


def test_the_size_is_counted_and_not_only_believed() -> None:
    with Inbox.start(largest=5_000) as inbox, smtplib.SMTP("127.0.0.1", inbox.port, "[127.0.0.1]") as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "5000"
        client.mail(SENDER)  # announces no size
        client.rcpt(CISO)
        assert client.data(b"Subject: Large\r\n\r\n" + b"word\r\n" * 2_000)[0] == 552
        assert inbox.mails() == ()


def test_waiting_names_what_came_instead(inbox: Inbox) -> None:
    send(inbox, letter("Other"))
    with pytest.raises(TimeoutError, match="Other"):
        inbox.wait_for(lambda mail: mail.subject == "Report", 0.01)
    send(inbox, letter("Report"))
    assert inbox.wait_for(lambda mail: mail.subject == "Other").subject == "Other"


def test_what_is_broken_is_shown_as_well_as_can_be(inbox: Inbox) -> None:
    raw = (
        b"Subject: \xff\xfe =?nonsense?q?=41?=\x1b\r\nTo: <broken\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
        b"--x\r\nContent-Type: text/plain; charset=no-such\r\n\r\nCaf\xc3\xa9\r\n"
        b'--x\r\nContent-Type: image/<b>; name="a"\r\nContent-Disposition: attachment\r\n\r\nhm\r\n'
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: Inner\r\n\r\nDeep\r\n--x--\r\n"
    )
    send(inbox, raw)
    mail = inbox.wait_for()
    mail.subject.encode()
    assert "\x1b" not in mail.subject
    assert mail.text == "Café"
    assert mail.bcc == (CISO,)
    assert [each.media_type for each in mail.attachments] == ["application/octet-stream", "message/rfc822"]
    assert b"Inner" in mail.attachments[1].content


@pytest.mark.parametrize("charset", ["unicode_escape", "punycode", "rot13"])
def test_no_character_set_breaks_the_page(inbox: Inbox, visitor: httpx.Client, charset: str) -> None:
    send(inbox, f"Content-Type: text/plain; charset={charset}\r\n\r\n\\ud800 -\xe9".encode())
    ident = inbox.wait_for().id
    assert visitor.get(f"/mail/{ident}?plain").status_code == 200


def test_it_listens_on_this_machine_only_and_stops() -> None:
    with Inbox.start() as inbox:
        client = socket.create_connection(("127.0.0.1", inbox.port), timeout=5)
        assert client.recv(3) == b"220"
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", inbox.port))
    with client:
        while client.recv(1024):
            pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", inbox.port))


@pytest.mark.parametrize("path", ["", "?plain", "/attachments/0", "/attachments/0?download"])
def test_a_mail_needs_the_token_and_the_right_host(
    inbox: Inbox, slack: SlackStandIn, visitor: httpx.Client, path: str
) -> None:
    send(inbox, letter(html=HOSTILE, page=b"<p>Hi"))
    address = f"/mail/{inbox.wait_for().id}{path}"
    assert visitor.get(address).status_code == 200
    assert httpx.get(f"{slack.base_url}{address}").status_code == 403
    bot = {"Authorization": f"Bearer {slack.workspace.bot_token}"}
    assert httpx.get(f"{slack.base_url}{address}", headers=bot).status_code == 403
    assert visitor.get(address, headers={"Host": "evil.example"}).status_code == 421
    assert visitor.get(address, headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_body_may_neither_run_nor_load_anything(inbox: Inbox, visitor: httpx.Client) -> None:
    send(inbox, letter(html=HOSTILE))
    answer = visitor.get(f"/mail/{inbox.wait_for().id}")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    rules = answer.headers["content-security-policy"].split("; ")
    assert rules[:2] == ["sandbox allow-popups allow-popups-to-escape-sandbox", "default-src 'none'"]
    assert set(rules[2:]) == {"style-src 'unsafe-inline'", "img-src data:", "frame-ancestors 'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_plain_text_is_plain(inbox: Inbox, visitor: httpx.Client) -> None:
    send(inbox, letter(text="<b>Hello</b>", html=HOSTILE))
    answer = visitor.get(f"/mail/{inbox.wait_for().id}?plain")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.strip() == "<b>Hello</b>"


def test_an_attachment_opens_in_a_sandbox_and_downloads_with_its_name(
    inbox: Inbox, visitor: httpx.Client
) -> None:
    send(inbox, letter(page=b"<p>Hi"))
    address = f"/mail/{inbox.wait_for().id}/attachments/0"
    opened = visitor.get(address)
    assert opened.text == "<p>Hi"
    assert opened.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    kept = visitor.get(f"{address}?download")
    assert kept.headers["content-disposition"] == 'attachment; filename="page.html"'


@pytest.mark.parametrize(
    "path", ["nothing", "{}/attachments/1", "{}/attachments/-1", "nothing/attachments/0"]
)
def test_what_is_not_there_is_not_found(inbox: Inbox, visitor: httpx.Client, path: str) -> None:
    send(inbox, letter(page=b"<p>Hi"))
    answer = visitor.get(f"/mail/{path.format(inbox.wait_for().id)}")
    assert answer.status_code == 404


def test_the_picture_lists_the_mails(inbox: Inbox, visitor: httpx.Client) -> None:
    assert visitor.get("/page/state").json()["mails"] == []
    assert service(inbox).send_report(CISO, "Weekly", "<p>Hi", [FILE, ("a.zip", b"PK", "application/zip")])
    (mail,) = visitor.get("/page/state").json()["mails"]
    assert (mail["subject"], mail["to"], mail["at"]) == ("Weekly", [CISO], NOW.timestamp())
    assert [(each["name"], each["opens"]) for each in mail["attachments"]] == [
        ("findings.csv", True),
        ("a.zip", False),
    ]
    assert not {"html", "text", "content"} & set(mail)


def test_a_mail_wakes_the_page(inbox: Inbox, visitor: httpx.Client) -> None:
    with visitor.stream("GET", "/page/events") as stream:
        lines = (line for line in stream.iter_lines() if line)
        next(lines)
        send(inbox, letter())
        assert next(lines)


def test_without_an_inbox_there_are_no_mails() -> None:
    with SlackStandIn.start() as slack, httpx.Client(base_url=slack.base_url) as browser:
        browser.get(slack.page_url)
        assert browser.get("/page/state").json()["mails"] is None
        assert browser.get("/mail/any").status_code == 404


def test_the_demo_hands_the_inbox_to_the_bot_and_to_the_page(
    inbox: Inbox, slack: SlackStandIn, moto_endpoint: str, tmp_path: Path
) -> None:
    cloud = DemoCloud(moto_endpoint)
    known = bot_environment(slack, cloud, tmp_path, inbox=inbox)
    account = {name: known[name] for name in ("SMTP_SERVER", "SMTP_PORT", "SENDER_EMAIL")}
    assert account == {"SMTP_SERVER": "127.0.0.1", "SMTP_PORT": str(inbox.port), "SENDER_EMAIL": SENDER}
    assert "SMTP_SERVER" not in bot_environment(slack, cloud, tmp_path)
    assert page_setup(cloud, inbox).inbox is inbox
    titles = [step.title for step in page_setup(cloud, inbox).tour]
    assert titles[titles.index("Hand it on") + 1] == "Mail it"
    assert "/schedule" in [step.command for step in page_setup(cloud, inbox).tour]
