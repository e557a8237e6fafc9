"""The demo page's mails in a real browser: found, read, opened; and a hostile one that gets nowhere."""

import re
import smtplib
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.sandbox import PageSetup, Panel, PanelRow, SlackStandIn
from bot.sandbox.inbox import Inbox
from exporters.email_service import EmailService
from exporters.mail_security import Security
from tests.browser.patience import PATIENCE_S, give_patience

pytestmark = pytest.mark.browser

SENDER = "countersign@northwind.example"
CISO = "ciso@northwind.example"
SUBJECT = "Security report: 2 critical, 3 high in northwind-weekly"
REPORT = ("report.html", b"<!doctype html><title>Report</title><h1>All findings</h1>", "text/html")
BODY = """<!doctype html><html><head><style>
body { margin: 0; background: #f2f3f1; font: 15px/1.5 sans-serif; }
.card { width: 600px; max-width: 100%; background: #fff; margin: 0 auto; } .head { background: #0f766e; color: #fff; }
td { padding: 18px 24px; }</style></head><body><table class="card"><tr><td class="head">Northwind</td></tr>
<tr><td><h1>2 critical findings are open</h1><p>The bucket northwind-customer-exports is public.</p></td></tr></table>
</body></html>"""
HOSTILE = """<!doctype html><html><head><link rel="stylesheet" href="ELSEWHERE/a.css">
<meta http-equiv="refresh" content="0; url=ELSEWHERE/refresh"></head>
<body style="background: url(ELSEWHERE/b.png)"><p id="words">untouched</p>
<img src="ELSEWHERE/c.png" onerror="words.textContent = 'ran'"><img src="data:," onerror="words.textContent = 'ran'">
<iframe src="ELSEWHERE/d"></iframe><script src="ELSEWHERE/e.js"></script>
<script>document.getElementById("words").textContent = "ran"; fetch("/page/state")</script>
<form action="/page/say" method="post"><button>Send</button></form></body></html>"""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox.start() as running:
        yield running


@pytest.fixture
def slack(inbox: Inbox) -> Iterator[SlackStandIn]:
    cloud = Panel("aws", "What the cloud looks like now", lambda: [PanelRow("bucket", "Versioning", "on")])
    with SlackStandIn.start(page=PageSetup(panels=(cloud,), inbox=inbox)) as standin:
        yield standin


def send(inbox: Inbox, subject: str = SUBJECT, bcc: str | None = None) -> None:
    mails = EmailService("127.0.0.1", inbox.port, SENDER, security=Security.PLAIN_LOOPBACK, max_attempts=1)
    assert mails.send_report(CISO, subject, BODY, [REPORT, ("proof.zip", b"PK", "application/zip")], bcc=bcc)


def send_hostile(inbox: Inbox, elsewhere: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, CISO, "<img src=x onerror=alert(1)>"
    message.set_content("plain")
    message.add_alternative(HOSTILE.replace("ELSEWHERE", elsewhere), subtype="html")
    with smtplib.SMTP("127.0.0.1", inbox.port, "[127.0.0.1]") as client:
        client.send_message(message)
    return inbox.wait_for(timeout_s=PATIENCE_S).id


def open_mail(page: Page, subject: str = SUBJECT) -> None:
    page.get_by_role("tab", name=re.compile("^Mail")).click()
    page.get_by_role("button", name=subject).first.click()


def test_a_mail_arrives_and_is_read(slack: SlackStandIn, inbox: Inbox, page: Page) -> None:
    page.goto(slack.page_url)
    page.get_by_role("tab", name="Mail", exact=True).click()
    expect(page.get_by_text("No mail yet")).to_be_visible()
    page.get_by_role("tab", name="Cloud").click()
    send(inbox, bcc="board@northwind.example")
    send(inbox, "Another one")
    page.get_by_role("tab", name="Mail 2 unread").click()
    expect(page.locator(".mails li").first).to_contain_text("Another one")
    expect(page.locator(".mails li").last).to_contain_text(f"To {CISO} +1")
    expect(page.locator(".mails li").last).to_contain_text("proof.zip")

    page.get_by_role("button", name=SUBJECT).click()
    expect(page.get_by_role("heading", name=SUBJECT)).to_be_focused()
    expect(page.locator(".mail-facts")).to_contain_text("Bccboard@northwind.example")
    expect(page.frame_locator("iframe").get_by_role("heading", name="2 critical findings")).to_be_visible()
    expect(page.get_by_role("tab", name="Mail 1 unread")).to_be_visible()

    page.get_by_role("button", name="Plain text").click()
    expect(page.locator("pre.mail-body")).to_contain_text("2 critical findings are open")
    expect(page.get_by_role("button", name="Plain text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=SUBJECT)).to_be_focused()
    page.reload()
    expect(page.get_by_role("tab", name="Mail 1 unread")).to_be_visible()


def test_a_mail_stays_open_while_others_arrive(slack: SlackStandIn, inbox: Inbox, page: Page) -> None:
    send(inbox)
    page.goto(slack.page_url)
    open_mail(page)
    page.locator("iframe").evaluate("frame => { frame.dataset.known = 'yes'; }")
    send(inbox, "Another one")
    expect(page.get_by_role("tab", name="Mail 1 unread")).to_be_visible()
    expect(page.locator("iframe[data-known=yes]")).to_have_count(1)


def test_attachments_open_or_download(slack: SlackStandIn, inbox: Inbox, page: Page) -> None:
    send(inbox)
    page.goto(slack.page_url)
    open_mail(page)
    expect(page.get_by_role("link", name="Open proof.zip")).to_have_count(0)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open report.html").click()
    expect(opened.value.get_by_role("heading", name="All findings")).to_be_visible()
    assert opened.value.evaluate("window.origin") == "null"
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download proof.zip").click()
    assert kept.value.suggested_filename == "proof.zip"


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another site, and what it was asked for."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}", asked
        site.shutdown()
        thread.join()


@pytest.mark.parametrize("is_framed", [True, False], ids=["in the page", "in a tab of its own"])
def test_a_hostile_mail_runs_and_loads_nothing(
    slack: SlackStandIn,
    inbox: Inbox,
    chromium: Browser,
    elsewhere: tuple[str, list[str]],
    is_framed: bool,
) -> None:
    address, asked = elsewhere
    ident = send_hostile(inbox, address)
    context = chromium.new_context()
    give_patience(context)
    window = context.new_page()
    window.goto(slack.page_url)
    with window.expect_console_message(lambda line: "Blocked script execution" in line.text):
        if is_framed:
            open_mail(window, "onerror")
            words = window.frame_locator("iframe").locator("#words")
        else:
            window.goto(f"{slack.base_url}/mail/{ident}")
            words = window.locator("#words")
        expect(words).to_have_text("untouched")
    window.wait_for_timeout(500)  # what it might load comes a little later
    expect(words).to_have_text("untouched")
    context.close()
    assert asked == []


def test_it_works_by_keyboard(slack: SlackStandIn, inbox: Inbox, page: Page) -> None:
    send(inbox)
    page.goto(slack.page_url)
    page.get_by_role("tab", name="Cloud").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Mail 1 unread")).to_be_focused()
    page.keyboard.press("Tab")  # the panel
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=SUBJECT)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open report.html")).to_be_focused()


@pytest.fixture(params=["phone", "tablet", "dark"])
def looks(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[str, Page]]:
    """The page on other screens than a large light one."""
    width = {"phone": 390, "tablet": 900}.get(request.param, 1440)
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if request.param == "dark" else "light"
    )
    give_patience(context)
    yield request.param, context.new_page()
    context.close()


def test_it_fits_a_phone_and_the_dark(slack: SlackStandIn, inbox: Inbox, looks: tuple[str, Page]) -> None:
    name, page = looks
    send(inbox)
    page.goto(slack.page_url)
    if name != "dark":
        drawer = page.get_by_role("button", name="Cloud, Mail, Home: 1 unread")
        expect(drawer).to_be_visible()
        drawer.click()
    open_mail(page)
    expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator(".side-body").evaluate("node => node.scrollWidth - node.clientWidth") <= 0


def test_without_an_inbox_there_is_no_tab(page: Page) -> None:
    cloud = Panel("aws", "Cloud", lambda: [PanelRow("bucket", "Versioning", "on")])
    with SlackStandIn.start(page=PageSetup(panels=(cloud,))) as slack:
        page.goto(slack.page_url)
        expect(page.get_by_role("tab", name="Cloud")).to_be_visible()
        expect(page.get_by_role("tab", name="Mail")).to_have_count(0)
        page.goto("about:blank")
