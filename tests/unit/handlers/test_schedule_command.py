"""`/schedule` and what it sends, against the stand-in for Slack and a real mail server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.trail import TrailEvent
from bot.sandbox import SlackStandIn
from bot.sandbox.inbox import Inbox
from bot.scheduler import make_firing
from exporters.email_service import EmailService
from exporters.firing import LEASE
from exporters.mail_security import Security
from exporters.schedules import FireState, Schedule
from handlers.notices import due_notices
from tests.unit.handlers.house import House

MakeHouse = Callable[..., House]
SECURITY = "C0SECURITY"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox.start() as running:
        yield running


def only(house: House) -> Schedule:
    (schedule,) = house.stores.schedules.all()
    return schedule


def made(house: House, text: str = "") -> Schedule:
    """Have a schedule made: daily, where nothing is said at a time that does not come up while a test lets minutes pass."""
    house.ingest()
    house.command("ana", f"/schedule {text or f'daily {house.now - timedelta(hours=1):%H:%M}'}")
    return only(house)


def run(house: House, name: str, user: str = "ana") -> None:
    house.command(user, f"/schedule run {name}")


def wait(house: House, **time: float) -> None:
    """Let time pass and do what is due then, as the clock and the sweep would."""
    house.now += timedelta(**time)
    house.services.scheduling.claim_due()
    for fire_id in house.stores.schedules.waiting(house.now):
        make_firing(house.services).fire(fire_id)
    sweep_notices(house)
    house.work_off()


def sweep_notices(house: House) -> None:
    for notice_id in due_notices(house.services, house.now):
        house.do("notice", notice_id)


def digests(house: House) -> list[str]:
    return [message.words for message in house.cards() if "Security digest" in message.words]


def kinds(house: House) -> list[str]:
    return [json.loads(entry.body)["kind"] for entry in house.stores.trail.stream()]


@pytest.mark.parametrize(
    ("text", "when", "to"),
    [
        ("daily 09:00", "every day at 09:00 (UTC)", (SECURITY, ())),
        ("daily 9:00 europe/berlin", "every day at 09:00 (Europe/Berlin)", (SECURITY, ())),
        ("daily 09:00 #security pdf", "every day at 09:00 (UTC)", (SECURITY, ())),
        (
            "weekly Mon 08:30 a@x.example,b@x.example",
            "every Monday at 08:30 (UTC)",
            ("", ("a@x.example", "b@x.example")),
        ),
        ('cron "0 9 * * 7" csv', "every Sunday at 09:00 (UTC)", (SECURITY, ())),
        ("cron “*/30 * * * *” Europe/Berlin", "at “*/30 * * * *” (Europe/Berlin)", (SECURITY, ())),
    ],
)
def test_it_is_made_and_its_next_three_times_are_shown(
    house: House, text: str, when: str, to: tuple[str, tuple[str, ...]]
) -> None:
    schedule = made(house, text)
    assert schedule.cadence.describe() == when
    assert (schedule.channel, schedule.recipients) == to
    assert schedule.owner.slack_id == "U0ANA"
    answer = house.whisper("ana").words
    assert schedule.schedule_id in answer
    assert answer.count("<!date^") >= 3
    assert "schedule.created" in kinds(house)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("daily 25:00", "“25:00” is no time of the day: that goes from 00:00 to 23:59. Type it as 09:00"),
        ("weekly mon 09:60", "“09:60” is no time of the day"),
        ("daily noon", "no time"),
        ("daily 09:00 Europe/Berln", "Did you mean Europe/Berlin"),
        ("daily 09:00 htlm", "Did you mean html"),
        ("daily 09:00 #nowhere", "no channel I know"),
        ("daily 09:00 html pdf", "Say one format"),
        ("daily 09:00 UTC Europe/Berlin", "Say one time zone"),
        ("daily 09:00 ana@", "not a full domain"),
        ("weekly someday 09:00", "no weekday"),
        ("weekly monday", "DAY TIME"),
        (
            "daily account:1 09:00",
            "“account:1” stands where the time belongs. Type daily 09:00, and the rest",
        ),
        ("daily #security 09:00", "stands where the time belongs. Type daily 09:00"),
        ("weekly mon account:1 09:00", "“account:1” stands where the time belongs. Type weekly mon 09:00"),
        ("weekly account:1 mon 09:00", "“account:1” is no weekday"),
        ("daily account:1", "“account:1” is no time"),
        ("daily 09:00 10:00", "Say one time, not 2: 09:00, 10:00"),
        ('cron "0 9 * *"', "five fields"),
        ('cron "0 9 31 2 *"', "never due"),
        ("daly 09:00", "Did you mean"),
        ("pause s-none", "`/schedule list` shows them"),
        ("run <!channel>", "There is no schedule"),
    ],
)
def test_what_cannot_be_scheduled_is_answered(house: House, text: str, says: str) -> None:
    house.command("ana", f"/schedule {text}")
    assert says in house.whisper("ana").words
    assert "<!channel>" not in house.whisper("ana").words
    assert house.stores.schedules.all() == []


@pytest.mark.parametrize("text", ["daily 09:00", "pause NAME", "resume NAME", "remove NAME", "run NAME"])
def test_guests_change_nothing(house: House, text: str) -> None:
    schedule = made(house)
    house.command("gia", f"/schedule {text.replace('NAME', schedule.schedule_id)}")
    assert "not guests" in house.whisper("gia").words
    assert house.stores.schedules.all() == [schedule]
    assert house.stores.schedules.fires(schedule.schedule_id) == []


def test_it_is_paused_resumed_listed_and_removed(house: House) -> None:
    name = made(house).schedule_id
    house.command("omar", f"/schedule pause {name}")
    house.command("ana", "/schedule list")
    assert "paused" in house.whisper("ana").words
    house.command("omar", f"/schedule resume {name}")
    assert only(house).is_active
    house.command("omar", f"/schedule remove {name}")
    assert house.stores.schedules.all() == []
    house.command("ana", "/schedule list")
    assert "Nothing is scheduled" in house.whisper("ana").words
    assert [kind for kind in kinds(house) if kind.startswith("schedule.")] == [
        "schedule.created",
        "schedule.paused",
        "schedule.resumed",
        "schedule.removed",
    ]


def test_the_mail_lands_in_the_inbox(house: House, inbox: Inbox) -> None:
    sender = "countersign@northwind.example"
    service = EmailService("127.0.0.1", inbox.port, sender, security=Security.PLAIN_LOOPBACK)
    mailing = replace(house.services.mailing, mailer=lambda: service.mailer)
    house.services = replace(house.services, mailing=mailing)
    run(house, made(house, "daily 09:00 #security ciso@northwind.example csv").schedule_id)
    (mail,) = inbox.mails()
    assert mail.recipients == ("ciso@northwind.example",)
    assert len(digests(house)) == 1


def test_after_a_time_away_one_digest_says_what_was_missed(house: House) -> None:
    made(house)
    wait(house, days=4)
    (digest,) = digests(house)
    assert "3 earlier digests were missed" in digest
    wait(house, days=1)
    assert "missed" not in digests(house)[-1]


def test_cut_off_after_posting_it_is_not_posted_again(house: House) -> None:
    schedule = made(house)
    fire = house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    begun = house.stores.schedules.begin(fire.fire_id, house.now, until=house.now + LEASE)
    assert begun is not None
    sender = make_firing(house.services).senders["digest"]
    for part in sender.parts(schedule, begun):
        part.send(begun)  # the process is gone before it could note any of it
    assert begun.parts == ()
    wait(house, seconds=1)
    assert len(digests(house)) == 1, "the lease holds"
    wait(house, minutes=2)
    assert len(digests(house)) == 1
    card = next(message for message in house.cards() if "Security digest" in message.words)
    assert len(house.replies(card)) == 1
    assert house.stores.schedules.fire(fire.fire_id).state is FireState.SENT


def test_the_owner_is_told_when_it_fails_and_when_it_is_paused(house: House) -> None:
    schedule = made(house)
    changed = TrailEvent(kind="schedule.changed", actor=schedule.owner, at=house.now, subject="x")
    house.stores.schedules.save(schedule, replace(schedule, channel="C0NOWHERE"), changed)
    told: list[str] = []
    for _ in range(3):
        house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key=str(len(told)))
        for minutes in (0, 1, 2, 4, 8):
            wait(house, minutes=minutes)
        told = [message.words for message in house.slack.messages("@ana", as_user="ana")]
    assert "could not be sent" in told[0]
    assert "/invite" in told[0]
    assert "is paused" in told[-1]
    assert not only(house).is_active


def test_without_a_report_the_owner_is_told_so(house: House) -> None:
    house.command("ana", "/schedule daily 09:00")
    run(house, only(house).schedule_id)
    sweep_notices(house)
    assert "There is no report to send yet" in house.slack.messages("@ana", as_user="ana")[-1].words


def test_in_a_direct_message_it_goes_to_the_configured_channel(
    slack: SlackStandIn, make_house: MakeHouse
) -> None:
    house = make_house(channel=SECURITY)
    house.put_command(
        "/schedule", {"text": "daily 09:00", "channel_id": "D1", "channel_name": "directmessage"}
    )
    house.work()
    assert only(house).channel == SECURITY


def test_the_same_command_delivered_twice_makes_one(house: House) -> None:
    for _ in range(2):
        body = {"text": "daily 09:00", "channel_id": SECURITY, "channel_name": "security", "trigger_id": "t1"}
        house.put_command("/schedule", body)
        house.work_off()
    assert len(house.stores.schedules.all()) == 1
