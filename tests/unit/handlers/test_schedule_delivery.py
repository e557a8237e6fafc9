"""What a schedule sends arrives whatever is away for a while, and whoever can mend the rest hears of it once."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog

from audit.actor import Actor
from audit.trail import TrailEvent
from bot.sandbox.inbox import Inbox
from bot.scheduler import make_firing
from exporters.email_service import EmailService
from exporters.firing import LEASE
from exporters.mail_security import Security
from exporters.schedules import Fire, FireState, Schedule
from handlers.notices import due_notices
from handlers.schedule_news import LATE, STUCK, UNSENT, build_schedule_news
from remediation.attention import Notice
from tests.integration.mail.conftest import Inbox as Refusing
from tests.integration.mail.conftest import MailServer
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House
from tests.unit.handlers.test_schedule_command import digests, made, only, run, sweep_notices, wait

CISO = "ciso@northwind.example"
NOWHERE = "C0NOWHERE"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox.start() as running:
        yield running


@pytest.fixture
def choosy() -> Iterator[MailServer]:
    """A mail server that does not know one of the addresses."""
    server = MailServer(Refusing(replies={"RCPT gone@northwind.example": ["550 5.1.1 no such user"]}))
    server.start()
    yield server
    server.stop()


def mail_through(house: House, port: int) -> None:
    sender = "countersign@northwind.example"
    service = EmailService("127.0.0.1", port, sender, security=Security.PLAIN_LOOPBACK, max_attempts=1)
    house.services = replace(
        house.services, mailing=replace(house.services.mailing, mailer=lambda: service.mailer)
    )


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def change(house: House, **what: object) -> Schedule:
    schedule = only(house)
    event = TrailEvent(kind="schedule.changed", actor=schedule.owner, at=house.now, subject="x")
    return house.stores.schedules.save(schedule, replace(schedule, **what), event)  # type: ignore[arg-type]


def wait_minutes(house: House, minutes: int) -> None:
    for _ in range(minutes):
        wait(house, minutes=1)


def told(house: House, user: str = "ana") -> list[str]:
    return [message.words for message in house.slack.messages(f"@{user}", as_user=user)]


def fires(house: House) -> list[Fire]:
    return house.stores.schedules.fires(only(house).schedule_id)


def come_up(house: House) -> None:
    """Let the next slot come."""
    house.now = only(house).next_at
    wait(house, seconds=0)


def test_an_outage_of_slack_delays_a_digest_that_then_says_so_and_nobody_is_bothered(house: House) -> None:
    made(house)
    house.slack.faults.add("*", times=100_000, status=503)
    come_up(house)
    wait_minutes(house, 90)
    assert fires(house)[0].state is FireState.WAITING
    house.slack.faults.clear()
    wait_minutes(house, 8)
    (digest,) = digests(house)
    assert "This digest comes late: it was due" in digest
    assert told(house) == []
    assert only(house).is_active
    come_up(house)
    assert "late" not in digests(house)[-1]


def test_no_answer_at_all_is_an_outage_too(house: House) -> None:
    made(house)
    client = house.services.client
    away = type(client)(client.token, base_url=f"http://127.0.0.1:{closed_port()}/", retry_handlers=[])
    house.services = replace(house.services, client=away)
    come_up(house)
    wait_minutes(house, 40)
    assert (fires(house)[0].excused, only(house).failures) == (fires(house)[0].attempts, 0)
    house.services = replace(house.services, client=client)
    wait_minutes(house, 8)
    assert len(digests(house)) == 1


def test_a_lost_channel_stops_no_mail_and_its_owner_hears_of_it(house: House, inbox: Inbox) -> None:
    mail_through(house, inbox.port)
    made(house, f"daily 09:00 #security {CISO} csv")
    change(house, channel=NOWHERE)
    for _ in range(3):
        come_up(house)
        wait_minutes(house, 16)
    assert [mail.recipients for mail in inbox.mails()] == [(CISO,)] * 3
    assert not only(house).is_active
    stuck = [words for words in told(house) if "could not be sent" in words]
    unsent = [words for words in told(house) if "was not sent" in words]
    paused = [words for words in told(house) if "is paused" in words]
    assert (len(stuck), len(unsent), len(paused)) == (3, 2, 1)
    assert "/invite" in stuck[0]
    assert "/schedule resume" in paused[0]
    assert build_schedule_news(house.services, Notice(STUCK, fires(house)[0].fire_id, "1")) is None
    assert build_schedule_news(house.services, Notice(UNSENT, fires(house)[1].fire_id, "1")) is None


def test_a_dead_mail_server_pauses_no_digest_and_its_owner_hears_of_it_once(house: House) -> None:
    mail_through(house, closed_port())
    made(house, f"daily 09:00 #security {CISO} csv")
    for _ in range(4):
        come_up(house)
        wait_minutes(house, 30)
    assert len(digests(house)) == 4
    assert all("missed" not in words for words in digests(house)), "the channel has had each"
    assert only(house).is_active
    (once,) = told(house)
    assert "could not be sent since" in once
    assert "cannot be reached" in once


def test_the_mail_says_what_it_missed(house: House, inbox: Inbox) -> None:
    mail_through(house, closed_port())
    made(house, f"daily 09:00 #security {CISO} csv")
    come_up(house)
    wait_minutes(house, 3)
    come_up(house)
    mail_through(house, inbox.port)
    wait_minutes(house, 8)
    (mail,) = inbox.mails()
    assert "(1 earlier missed, due " in mail.subject


def test_an_address_that_is_refused_is_told_and_later_where_slack_is_away(
    house: House, choosy: MailServer
) -> None:
    mail_through(house, choosy.port)
    made(house, f"daily 09:00 {CISO} gone@northwind.example csv")
    house.slack.faults.add("*", times=2, status=503)
    come_up(house)
    assert fires(house)[0].state is FireState.SENT
    assert told(house) == []
    wait_minutes(house, 7)
    (once,) = told(house)
    assert "did not reach everyone" in once
    assert "gone@northwind.example" in once


def test_what_the_owner_could_not_be_told_is_told_when_slack_is_back(house: House) -> None:
    made(house)
    change(house, channel=NOWHERE)
    house.slack.faults.add("conversations.open", times=3, status=503)
    come_up(house)
    assert told(house) == []
    wait_minutes(house, 14)
    assert len([words for words in told(house) if "could not be sent" in words]) == 1


@pytest.mark.parametrize("owner", [Actor(origin="cli"), Actor(workspace="T0DEMO", slack_id="U0GONE")])
def test_where_the_owner_is_nobody_in_slack_the_configured_channel_hears(
    make_house: MakeHouse, owner: Actor
) -> None:
    house = make_house(channel="C0GENERAL")
    made(house)
    change(house, channel=NOWHERE, owner=owner)
    come_up(house)
    assert "could not be sent" in house.cards("#general")[-1].words
    assert only(house).schedule_id in house.cards("#general")[-1].words


def test_what_was_mended_before_anybody_could_be_told_is_not_told(house: House) -> None:
    made(house)
    change(house, channel=NOWHERE)
    house.slack.faults.add("conversations.open", times=1, status=503)
    come_up(house)
    change(house, channel="C0SECURITY")
    wait_minutes(house, 5)
    assert len(digests(house)) == 1
    assert told(house) == []
    assert build_schedule_news(house.services, Notice(STUCK, fires(house)[0].fire_id, "1")) is None


def test_what_passes_soon_is_told_to_nobody(house: House, inbox: Inbox) -> None:
    mail_through(house, closed_port())
    made(house, f"daily 09:00 #security {CISO} csv")
    come_up(house)
    wait_minutes(house, 10)
    mail_through(house, inbox.port)
    wait_minutes(house, 10)
    assert len(inbox.mails()) == 1
    assert told(house) == []


def test_what_has_passed_before_it_could_be_told_is_not_told(house: House, inbox: Inbox) -> None:
    mail_through(house, closed_port())
    made(house, f"daily 09:00 #security {CISO} csv")
    come_up(house)
    house.slack.faults.add("conversations.open", times=3, status=503)
    wait_minutes(house, 15)
    (late,) = [name for name in due_notices(house.services, house.now) if name.startswith(LATE)]
    mail_through(house, inbox.port)
    wait_minutes(house, 30)
    assert not house.slack.faults.are_open
    assert len(inbox.mails()) == 1
    assert told(house) == []
    assert build_schedule_news(house.services, Notice.parse(late)) is None


def test_the_file_finds_its_digest_without_a_search_in_the_channel(house: House) -> None:
    made(house)
    house.slack.faults.add("files.completeUploadExternal", times=1, status=503)
    come_up(house)
    card = next(message for message in house.cards() if "Security digest" in message.words)
    assert fires(house)[0].brought("channel") == card.ts
    assert house.replies(card) == []
    assert fires(house)[0].excused == 1
    wait(house, minutes=1)
    assert len(house.replies(card)) == 1
    assert len(digests(house)) == 1
    assert house.slack.calls_of("conversations.history") == ()


def test_a_digest_is_found_in_a_busy_channel(house: House) -> None:
    schedule = made(house)
    fire = house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    begun = house.stores.schedules.begin(fire.fire_id, house.now, until=house.now + LEASE)
    assert begun is not None
    sender = make_firing(house.services).senders["digest"]
    (part,) = (part for part in sender.parts(schedule, begun) if part.name == "channel")
    part.send(begun)  # the process is gone before it could note it
    for number in range(210):
        house.services.client.chat_postMessage(channel="C0SECURITY", text=f"talk {number}")
    wait(house, minutes=2)
    assert len(digests(house)) == 1
    assert fires(house)[0].state is FireState.SENT


def test_the_lines_of_a_fire_name_its_report(house: House) -> None:
    name = made(house).schedule_id
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        run(house, name)
    (sent,) = (line for line in lines if line["event"] == "fire sent")
    assert sent["report_id"] == house.services.reports.header("latest").report_id
    assert sent["schedule"] == name


def test_each_sweep_tells_each_thing_once(house: House) -> None:
    made(house)
    change(house, channel=NOWHERE)
    come_up(house)
    for _ in range(5):
        sweep_notices(house)
    assert len(told(house)) == 1
