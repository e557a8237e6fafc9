"""What a schedule sends, on a database whose tracker knows what was fixed: counted, offered and compared as of now."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import delete, select

from audit.actor import WORKER
from audit.findings import Finding, FindingStatus, Severity
from bot.sandbox import Message, SlackStandIn
from bot.sandbox.inbox import Inbox
from bot.scheduler import make_firing
from exporters.email_service import EmailService
from exporters.firing import LEASE
from exporters.mail_security import Security
from exporters.schedules import FireState, Schedule
from remediation.states import PlaybookStatus
from storage import Stores
from storage.lifecycle_tables import TrackedRow
from storage.merging import queue
from storage.tables import ReportRow
from tests.databases import stores_in_memory
from tests.endings import Later
from tests.unit.handlers.house import DOOR, House, serving
from tests.unit.handlers.test_schedule_command import digests, only
from tests.unit.handlers.test_schedule_delivery import come_up

WINDOW = replace(DOOR, id="F-2", title="Window is open", resource="board/window", account_id="210987654321")


@pytest.fixture
def house(slack: SlackStandIn, later: Later) -> Iterator[House]:
    stack, stores = ExitStack(), stores_in_memory()
    stack.callback(stores.close)
    house = House(slack, stores=stores)
    slack.bot_url = stack.enter_context(serving(house))
    yield house
    later(stack.close)


def made(house: House, words: str = "") -> Schedule:
    """Have a schedule made: daily, at a time that does not come up while a test lets minutes pass."""
    house.now += timedelta(seconds=1)
    house.command("ana", f"/schedule daily {house.now - timedelta(hours=1):%H:%M} {words}")
    return house.stores.schedules.all()[-1]


def sent(house: House, schedule: Schedule) -> Message:
    """Have a schedule send now; return the digest."""
    house.now += timedelta(minutes=1)
    house.command("ana", f"/schedule run {schedule.schedule_id}")
    return [message for message in house.cards() if "Security digest" in message.words][-1]


def fixed(house: House, finding: Finding = DOOR) -> None:
    """Note that a finding was fixed, as the look after a fix does."""
    while house.services.tracker.catch_up(house.now):
        pass
    is_news = house.services.tracker.mark_fixed(
        finding.fingerprint, execution_id="x-1", evidence={}, at=house.now, actor=WORKER
    )
    assert is_news


def scored(house: House, failing: int, *, name: str = "scan.json", of: Finding = DOOR) -> str:
    """Read in a report of four checks, so many of which fail; each that fails less is 25 points."""
    house.now += timedelta(hours=1)
    checks = [
        replace(of, id=f"{of.id}-{number}", check_id=f"check_{number}", status=FindingStatus.PASS)
        for number in range(4)
    ]
    failed = [replace(each, status=FindingStatus.FAIL) for each in checks[:failing]]
    return house.ingest(*failed, *checks[failing:], name=name)


def test_run_posts_the_digest_with_the_file_below_it(house: House) -> None:
    house.ingest()
    card = sent(house, made(house))
    digest = card.words
    assert "🟠 High 1" in digest
    assert "Door is open" in digest
    assert card.text.startswith("Security digest, all accounts: 🟠 High 1.")
    replies = house.replies(card)
    assert len(replies) == 1
    assert replies[0].files
    assert house.slack.file_content(replies[0].files[0]).startswith(b"<!doctype html>")
    kinds = [json.loads(entry.body)["kind"] for entry in house.stores.trail.stream()]
    assert kinds[-3:] == ["schedule.fired", "report.exported", "schedule.sent"]


def test_a_button_begins_the_fix_on_the_usual_road(house: House) -> None:
    house.ingest()
    house.click("omar", sent(house, made(house)), "plan_fix")
    assert house.execution().requester.slack_id == "U0OMAR"
    assert "approve" in house.card().action_ids


def test_what_was_fixed_since_the_report_is_neither_counted_nor_offered(house: House) -> None:
    house.ingest()
    schedule = made(house)
    assert "🟠 High 1" in sent(house, schedule).words
    fixed(house)
    digest = sent(house, schedule)
    assert "Nothing is open." in digest.words
    assert "Door is open" not in digest.words
    assert "plan_fix" not in digest.action_ids


def test_what_was_excepted_is_neither_counted_nor_offered(house: House) -> None:
    last_day = (house.now + timedelta(days=5)).date().isoformat()
    assert house.slack.click("omar", house.ask(), "reject").ok
    form = {"reason": "It moves in spring", "exception_until": last_day}
    assert house.slack.submit_view("omar", house.window("omar"), form).accepted
    house.work()
    digest = sent(house, made(house))
    assert "Nothing is open." in digest.words
    assert "plan_fix" not in digest.action_ids


def test_what_waits_for_approval_is_counted_and_not_offered_again(house: House) -> None:
    house.ask()
    digest = sent(house, made(house))
    assert "🟠 High 1" in digest.words
    assert "plan_fix" not in digest.action_ids
    assert "Waiting for approval\n1" in digest.words.replace("*", "")
    house.ingest(DOOR, WINDOW)
    digest = sent(house, made(house))
    assert "1 that is as bad was asked for already" in digest.words
    assert [DOOR.handle in value for value in digest.words.split("Fix first")] == [False, False]


def test_a_fix_that_was_rejected_is_offered_again(house: House) -> None:
    house.ask()
    house.command("omar", f"/playbook reject {house.execution().execution_id} not today")
    assert "plan_fix" in sent(house, made(house)).action_ids


def test_a_rehearsal_keeps_no_fix_from_being_offered(house: House) -> None:
    house.ingest()
    schedule = made(house)
    book = house.services.playbooks["CLOSE-DOOR"]
    house.services.remediation.request(book, DOOR, schedule.owner, dry_run=True)
    assert house.execution().status is PlaybookStatus.PENDING
    assert "plan_fix" in sent(house, schedule).action_ids


def test_a_report_that_nobody_has_worked_in_is_worked_in_first(house: House) -> None:
    house.ingest()
    schedule, stores = made(house), house.stores
    assert isinstance(stores, Stores)
    with stores.database.writing() as session:  # as a process leaves it that died once the report was in
        session.exec(delete(TrackedRow))
        queue(session, session.exec(select(ReportRow)).one())
    assert house.services.tracker.is_behind()
    assert "🟠 High 1" in sent(house, schedule).words


def test_the_score_is_compared_with_the_last_digest_of_this_schedule(house: House) -> None:
    scored(house, 3, name="first")
    one, other = made(house), made(house, "csv")
    assert "25 of 100" in sent(house, one).words
    since = f"{house.now:%Y-%m-%d %H:%M} UTC"
    scored(house, 2, name="second")
    sent(house, other)
    scored(house, 1, name="third")
    digest = sent(house, one).words
    assert "75 of 100, ▲ up 50.0 from 25 in the digest of" in digest
    assert since in digest
    assert "75 of 100, as in the digest of" in sent(house, one).words, "no report came in between"


def test_a_digest_whose_mail_failed_was_told_all_the_same(house: House) -> None:
    scored(house, 3)
    schedule = made(house, "#security ciso@northwind.example")  # no mail is set up here
    sent(house, schedule)
    (fire,) = house.stores.schedules.fires(schedule.schedule_id)
    assert fire.state is not FireState.SENT
    scored(house, 2)
    assert "50 of 100, ▲ up 25.0 from 25 in the digest of" in sent(house, schedule).words


def test_the_first_digest_compares_with_the_report_before(house: House) -> None:
    scored(house, 3)
    scored(house, 1)
    assert "75 of 100, ▲ up 50.0 from 25 in the report of" in sent(house, made(house)).words


def test_scores_of_different_accounts_are_not_compared(house: House) -> None:
    scored(house, 3)
    schedule = made(house)
    sent(house, schedule)
    scored(house, 1, of=WINDOW)
    assert "75 of 100\n" in sent(house, schedule).words.replace("*", "")
    scored(house, 2)
    assert "50 of 100, ▲ up 25.0 from 25 in the digest of" in sent(house, schedule).words


def test_message_and_file_are_of_the_report_that_the_sending_began_with(house: House) -> None:
    first = scored(house, 3)
    schedule = made(house)
    fire = house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    begun = house.stores.schedules.begin(fire.fire_id, house.now, until=house.now + LEASE)
    assert begun is not None
    report, channel, file = make_firing(house.services).senders["digest"].parts(schedule, begun)
    begun = replace(begun, parts=(f"report {report.send(begun)}",))
    scored(house, 1)
    channel.send(begun)
    file.send(begun)
    digest = next(message for message in house.cards() if "Security digest" in message.words)
    assert "25 of 100" in digest.words
    exported = [json.loads(entry.body) for entry in house.stores.trail.stream()]
    assert [entry["subject"] for entry in exported if entry["kind"] == "report.exported"] == [first]


def test_the_mail_counts_what_is_open_now_too(house: House) -> None:
    with Inbox.start() as inbox:
        service = EmailService(
            "127.0.0.1", inbox.port, "countersign@northwind.example", security=Security.PLAIN_LOOPBACK
        )
        house.services = replace(
            house.services, mailing=replace(house.services.mailing, mailer=lambda: service.mailer)
        )
        gate = replace(DOOR, id="F-3", title="Gate is open", resource="board/gate", check_id="gate_closed")
        house.ingest(DOOR, WINDOW, gate)
        fixed(house, WINDOW)
        house.ask()
        schedule = made(house, "ciso@northwind.example csv")
        house.command("ana", f"/schedule run {schedule.schedule_id}")
        (mail,) = inbox.mails()
    assert mail.subject == "Security digest: 0 critical, 2 high open in all accounts, with scan.json"
    assert "2 high findings are open." in mail.text
    assert (
        "without what was fixed or excepted since the scan. 1 fix waits for approval in Slack."
        in " ".join(mail.text.split())
    )
    assert "Gate is open" in mail.text
    assert "Door is open" not in mail.text, "a fix of it was asked for already"
    assert "Window is open" not in mail.text


def test_a_digest_of_one_account_is_about_nothing_else(house: House) -> None:
    report = house.ingest(WINDOW, name="payments")
    house.now += timedelta(hours=1)
    house.ingest(DOOR, replace(DOOR, id="F-3", title="Gate is open", resource="board/gate"))
    house.ask()
    all_of_it = sent(house, made(house)).words
    assert "Security digest, all accounts" in all_of_it
    assert "🟠 High 3" in all_of_it
    schedule = made(house, "account:210987654321")
    assert (schedule.account, schedule.source) == ("210987654321", "account:210987654321")
    assert "of account 210987654321 to" in house.whisper("ana").words.replace("`", "")
    digest = sent(house, schedule).words
    assert "Security digest, account 210987654321" in digest
    assert "🟠 High 1" in digest
    assert "Score and file are of payments" in digest.replace("*", "")
    assert f"Report {report}" in digest.replace("`", "")
    assert "Gate is open" not in digest
    assert "Waiting for approval\nNothing" in digest.replace("*", "")


def test_what_is_new_in_other_accounts_is_no_news(house: House) -> None:
    house.ingest(replace(WINDOW, severity=Severity.CRITICAL))
    house.now += timedelta(hours=1)
    house.ingest(replace(DOOR, severity=Severity.CRITICAL))
    digest = sent(house, made(house, "account:210987654321")).words
    assert "New or regressed criticals\n1" in digest.replace("*", "")
    assert "new: Window is open" in digest
    assert "Door is open" not in digest


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("account:999999999999", "There is no report about account “999999999999”"),
        ("account:", "needs an account right behind it"),
        ("account: 123456789012", "needs an account right behind it"),
        ("account:1 account:2", "Say one account, not 2"),
        ("account:123456789012 pull aws", "without account:"),
    ],
)
def test_an_account_that_nobody_knows_is_refused(house: House, words: str, says: str) -> None:
    house.ingest()
    house.command("ana", f"/schedule daily 09:00 {words}")
    assert says in house.whisper("ana").words
    assert house.stores.schedules.all() == []


def test_after_many_that_came_to_nothing_it_still_knows_the_last_that_was_sent(house: House) -> None:
    scored(house, 3)
    house.command("ana", '/schedule cron "*/5 * * * *"')
    come_up(house)
    house.slack.faults.add("*", times=100_000, status=503)
    for _ in range(12):
        come_up(house)
    scored(house, 1)
    house.slack.faults.clear()
    come_up(house)
    before, digest = digests(house)
    assert "earlier digests were missed" in digest
    assert "75 of 100, ▲ up 50.0 from 25 in the digest of" in digest
    assert "missed" not in before
    assert only(house).is_active
