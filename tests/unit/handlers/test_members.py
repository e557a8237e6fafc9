"""What leaves and what is fetched is ordered by members of the workspace; everybody else hears no, privately, and may look."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit.ports import Ingested
from audit.pulling import PullRequest
from bot.sandbox.inbox import Inbox
from exporters.email_service import EmailService
from exporters.mail_security import Security
from tests.unit.handlers.house import CHANNEL, House

ORDERS = (
    "/report email eve@evil.example csv",
    "/report export html",
    "/report trend",
    "/report pull aws eu-central-1",
    "/schedule daily 09:00 eve@evil.example",
)


@pytest.fixture
def inbox(house: House) -> Iterator[Inbox]:
    with Inbox.start() as running:
        sender = "countersign@northwind.example"
        service = EmailService("127.0.0.1", running.port, sender, security=Security.PLAIN_LOOPBACK)
        mailing = replace(house.services.mailing, mailer=lambda: service.mailer)
        house.services = replace(house.services, mailing=mailing, pull=fetch_nothing)
        yield running


def fetch_nothing(_request: PullRequest, **_how: object) -> Ingested:
    pytest.fail("it was fetched")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("user", ["gia", "stan"])
def test_whoever_is_no_member_hands_nothing_on(house: House, inbox: Inbox, user: str, order: str) -> None:
    house.ingest()
    house.command(user, order)
    assert "not guests" in house.whisper(user).words
    assert inbox.mails() == ()
    assert house.slack.files() == ()
    assert house.stores.schedules.all() == []
    assert house.cards() == []
    assert b"report.ingested" in house.stores.trail.entries[-1].body, "nothing is on the trail either"


def test_the_form_is_no_way_round_it(house: House, inbox: Inbox) -> None:
    house.ingest()
    assert house.slack.command(user="gia", channel=CHANNEL, text="/report").ok
    form = house.window("gia")
    assert house.slack.submit_view("gia", form, {"word": "email", "addresses": "eve@evil.example"}).accepted
    house.work()
    assert "not guests" in house.whisper("gia").words
    assert inbox.mails() == ()


def test_a_directory_that_does_not_answer_hands_nothing_on(house: House, inbox: Inbox) -> None:
    house.ingest()
    house.slack.faults.add("users.info", error="internal_error", times=9)
    house.command("ana", "/report email ciso@northwind.example")
    assert "does not answer" in house.whisper("ana").words
    assert inbox.mails() == ()


@pytest.mark.parametrize("words", ["list", "show", "findings"])
def test_a_guest_may_look(house: House, words: str) -> None:
    house.ingest()
    house.command("gia", f"/report {words}")
    assert "not guests" not in house.whisper("gia").words


def test_a_member_may(house: House, inbox: Inbox) -> None:
    house.ingest()
    house.command("ana", "/report email ciso@northwind.example csv")
    (mail,) = inbox.mails()
    assert mail.recipients == ("ciso@northwind.example",)


def escaped(house: House, text: str) -> None:
    """Have Ana type something that reaches us as Slack writes mentions."""
    house.put_command("/report", {"text": text, "channel_id": "C0SECURITY", "channel_name": "security"})
    house.work()


@pytest.mark.parametrize("text", ["<@U0OMAR|omar> csv", "<@U0OMAR>,ciso@northwind.example csv"])
def test_somebody_who_is_mentioned_gets_it_at_their_own_address(
    house: House, inbox: Inbox, text: str
) -> None:
    house.ingest()
    escaped(house, f"email {text}")
    (mail,) = inbox.mails()
    omar = house.slack.workspace.person("omar").email
    assert mail.recipients == (omar, "ciso@northwind.example")[: len(mail.recipients)]
    assert len(mail.recipients) == 1 + ("ciso" in text)


def test_whom_slack_does_not_know_has_no_address(house: House, inbox: Inbox) -> None:
    house.ingest()
    escaped(house, "email <@U0NOBODY> csv")
    assert "does not tell me the address of @U0NOBODY" in house.whisper("ana").words
    assert inbox.mails() == ()


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("/report export html #security", "A file goes where you type"),
        ("/report email #security", "A mail goes to addresses"),
        ("/report email ciso@northwind.example #security", "A mail goes to addresses"),
    ],
)
def test_a_channel_is_answered_with_where_files_go(house: House, inbox: Inbox, order: str, says: str) -> None:
    house.ingest()
    house.command("ana", order)
    assert says in house.whisper("ana").words
    assert inbox.mails() == ()
    assert house.slack.files() == ()
