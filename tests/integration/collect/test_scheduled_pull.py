"""A schedule that fetches: `/schedule … pull aws`, on the handlers, a database, moto's Security Hub and the stand-in for Slack."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from audit.actor import Actor
from audit.pull_words import read_pull
from bot.pulling import SecurityHub
from bot.sandbox import Message, SlackStandIn
from bot.scheduler import make_firing
from exporters.firing import LEASE
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from handlers.notices import due_notices
from storage import Stores
from storage.merging import queue
from storage.tables import ReportRow
from tests.databases import stores_in_memory
from tests.integration.collect.hub import Hub, new_keys, to_asff
from tests.unit.handlers.house import House, serving

SECURITY = "C0SECURITY"


@pytest.fixture
def hub(moto_endpoint: str) -> Hub:
    return Hub(moto_endpoint, keys=new_keys(moto_endpoint))


@pytest.fixture
def house(hub: Hub) -> Iterator[House]:
    with ExitStack() as stack:
        slack = stack.enter_context(SlackStandIn.start())
        stores = stores_in_memory()
        stack.callback(stores.close)
        house = House(slack, stores=stores)
        fetch = SecurityHub(hub, stores.pulls, stores.reports)  # type: ignore[arg-type]
        house.services = replace(house.services, pull=fetch)
        house.app = house._make_app()
        slack.bot_url = stack.enter_context(serving(house))
        yield house
        assert slack.violations == ()


def scheduled(house: House, hub: Hub, words: str = "") -> Schedule:
    an_hour_ago = (
        f"{house.now - timedelta(hours=1):%H:%M}"  # so that no other time comes up while minutes pass
    )
    house.command("ana", f"/schedule daily {an_hour_ago} pull aws {hub.region} {words}")
    (schedule,) = house.services.schedules.all()
    return schedule


def wait(house: House, **time: float) -> None:
    """Let time pass and do what is due then, as the clock and the sweep would."""
    house.now += timedelta(**time)
    house.services.scheduling.claim_due()
    for fire_id in house.services.schedules.waiting(house.now):
        make_firing(house.services).fire(fire_id)
    for notice_id in due_notices(house.services, house.now):
        house.do("notice", notice_id)
    house.work_off()


def told(house: House) -> list[Message]:
    return [message for message in house.cards() if "Findings fetched" in message.words]


def last(house: House) -> Fire:
    (schedule,) = house.services.schedules.all()
    return house.services.schedules.fires(schedule.schedule_id)[0]


def test_it_is_made_with_its_words_and_its_next_times(house: House, hub: Hub) -> None:
    schedule = scheduled(house, hub, "HIGH 123456789012 critical")
    assert (schedule.kind, schedule.channel) == (ScheduleKind.PULL, SECURITY)
    assert schedule.source == f"aws {hub.region} 123456789012 critical high"
    answer = house.whisper("ana").words
    assert schedule.source in answer
    assert answer.count("<!date^") >= 3
    house.command("ana", "/schedule list")
    assert schedule.source in house.whisper("ana").words


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pull", "come from aws"),
        ("pull gcp", "come from aws"),
        ("pull aws everywhere", "is not a severity"),
        ("pdf pull aws", "told in a channel"),
        ("ciso@northwind.example pull aws", "told in a channel"),
        ("pull aws ciso@northwind.example", "is not a severity"),
    ],
)
def test_what_cannot_be_fetched_is_not_scheduled(house: House, text: str, says: str) -> None:
    house.command("ana", f"/schedule daily 09:00 {text}")
    assert says in house.whisper("ana").words
    assert house.services.schedules.all() == []


def test_where_nothing_can_be_fetched_none_is_made(house: House, hub: Hub) -> None:
    house.services = replace(house.services, pull=None)
    request = house.put_command("/schedule", {"text": "daily 09:00 pull aws", "channel_id": SECURITY})
    house.work_off()
    assert request
    assert house.services.schedules.all() == []


def test_a_channel_behind_the_words_is_where_it_is_told(house: House, hub: Hub) -> None:
    house.command("ana", f"/schedule daily 09:00 Europe/Berlin pull aws {hub.region} #general")
    (schedule,) = house.services.schedules.all()
    assert schedule.channel == "C0GENERAL"
    assert schedule.cadence.zone == "Europe/Berlin"


def test_what_is_new_came_back_and_is_closed_is_counted_in_one_message(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(3)
    wait(house, days=1)
    assert "no earlier fetch" in told(house)[0].words
    hub.put([to_asff(0, hub.region, status="PASSED"), to_asff(7, hub.region)])
    wait(house, days=1)
    hub.put([to_asff(0, hub.region)])
    hub.put([to_asff(1, hub.region, status="PASSED")])
    wait(house, days=1)
    wait(house, days=1)
    _, second, third, fourth = (message.text for message in told(house))
    assert "1 new, 0 came back, 1 closed, 2 still open" in second
    assert "0 new, 1 came back, 1 closed, 2 still open" in third
    assert "Nothing has changed" in told(house)[-1].words
    assert "0 new, 0 came back, 0 closed, 3 still open" in fourth
    assert [message.words.count("missed") for message in told(house)] == [0] * 4
    kinds = [json.loads(entry.body)["kind"] for entry in house.services.trail.stream()]
    assert kinds.count("schedule.fired") == kinds.count("schedule.sent") == 4
    assert kinds.count("report.ingested") == 3, "the same findings are the same report"
    assert last(house).brought("report") == house.services.reports.header("latest").report_id


def test_the_button_shows_the_findings_to_who_clicks_and_the_message_stays(house: House, hub: Hub) -> None:
    scheduled(house, hub, "high")
    hub.fill(2)
    wait(house, days=1)
    while house.services.tracker.catch_up(house.now):
        pass
    (message,) = told(house)
    house.click("omar", message, "findings_show")
    page = house.whisper("omar").words
    assert "Findings 1 to 2 of 2" in page
    assert f"severity:high region:{hub.region}" in page
    assert told(house) == [message]


def test_after_a_time_away_one_fetch_says_what_was_missed(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(1)
    wait(house, days=4)
    (message,) = told(house)
    assert "3 earlier runs were missed" in message.words


def test_nothing_of_the_kind_is_no_failure(house: House, hub: Hub) -> None:
    scheduled(house, hub, "critical")
    for _ in range(4):
        wait(house, days=1)
    assert last(house).state is FireState.SENT
    assert "no findings of this kind" in told(house)[-1].words
    assert told(house)[-1].action_ids == ()
    assert house.services.schedules.all()[0].is_active
    hub.fill(1)
    wait(house, days=1)
    assert "no earlier fetch" in told(house)[-1].words


def test_a_failing_fetch_is_told_to_its_owner_tried_again_and_goes_on_where_it_stopped(
    house: House, hub: Hub
) -> None:
    scheduled(house, hub)
    hub.fill(250)
    hub.fails_at = 3
    wait(house, days=1)
    assert told(house) == []
    (whisper,) = house.slack.messages("@ana", as_user="ana")
    assert "could not be fetched" in whisper.words
    assert f"aws {hub.region}" in whisper.words
    wait(house, minutes=1)
    assert last(house).state is FireState.SENT
    assert len(hub.asked) == 4, "two pages, a failure, and the last page"
    assert len(told(house)) == 1


def test_one_that_fails_three_times_in_a_row_is_paused_and_its_owner_told(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fails_at, hub.code = -1, "InvalidAccessException"
    for _ in range(3):
        wait(house, days=1)
        for minutes in (1, 2, 4, 8):
            wait(house, minutes=minutes)
    (schedule,) = house.services.schedules.all()
    assert not schedule.is_active
    assert "were not fetched" in schedule.paused_because
    assert "Is Security Hub switched on" in schedule.paused_because
    assert "is paused" in house.slack.messages("@ana", as_user="ana")[-1].words


def test_a_fetch_longer_than_its_lease_keeps_it(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(250)
    others: list[list[str]] = []

    def later() -> None:
        house.now += LEASE - timedelta(seconds=1)
        others.append(house.services.schedules.waiting(house.now))

    hub.before = later
    wait(house, days=1)
    assert others == [[], [], []], "five minutes, and nobody else began it"
    assert last(house).state is FireState.SENT
    assert last(house).attempts == 1


def test_whoever_was_taken_over_fetches_and_posts_nothing_more(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(250)

    def freeze() -> None:
        hub.before = lambda: None
        house.now += LEASE
        (fire_id,) = house.services.schedules.waiting(house.now)
        begun = house.services.schedules.begin(fire_id, house.now, until=house.now + LEASE)
        assert begun is not None

    hub.before = freeze
    wait(house, days=1)
    assert len(hub.asked) == 1, "the page came after the lease, and was the last that it asked for"
    assert told(house) == []
    assert house.slack.messages("@ana", as_user="ana") == ()
    wait(house, seconds=LEASE.total_seconds())
    assert len(told(house)) == 1
    assert len(hub.asked) == 3, "the other goes on behind the first page"


def test_cut_off_after_posting_it_is_not_posted_again(house: House, hub: Hub) -> None:
    schedule = scheduled(house, hub)
    hub.fill(1)
    fire = house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    begun = house.services.schedules.begin(fire.fire_id, house.now, until=house.now + LEASE)
    assert begun is not None
    fetch, post = make_firing(house.services).senders["pull"].parts(schedule, begun)
    begun = replace(begun, parts=(f"report {fetch.send(begun)}",))
    house.services.schedules.note(begun)
    post.send(begun)  # the process is gone before it could note that
    wait(house, minutes=2)
    assert len(told(house)) == 1
    assert len(hub.asked) == 1, "what was fetched is not fetched again"
    assert last(house).state is FireState.SENT


def test_what_was_fetched_and_never_told_is_told_by_the_next(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(1)
    wait(house, days=1)
    hub.put([to_asff(1, hub.region)])
    house.slack.faults.add("chat.postMessage", error="is_archived", times=50)
    wait(house, days=1)
    for minutes in (1, 2, 4, 8):
        wait(house, minutes=minutes)
    assert last(house).state is FireState.FAILED
    assert last(house).brought("report")
    house.slack.faults.clear()
    wait(house, days=1)
    assert "1 new, 0 came back, 0 closed, 1 still open" in told(house)[-1].text


def test_what_came_back_is_counted_only_once_the_report_is_worked_in(house: House, hub: Hub) -> None:
    schedule = scheduled(house, hub)
    hub.fill(1)
    wait(house, days=1)
    fire = house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    begun = house.services.schedules.begin(fire.fire_id, house.now, until=house.now + LEASE)
    assert begun is not None
    fetch, post = make_firing(house.services).senders["pull"].parts(schedule, begun)
    begun = replace(begun, parts=(f"report {fetch.send(begun)}",))
    stores = house.stores
    assert isinstance(stores, Stores)
    with (
        stores.database.writing() as session
    ):  # as a process leaves it that died right after the report was in
        queue(session, session.exec(select(ReportRow)).one())
    assert house.services.tracker.is_behind()
    post.send(begun)
    assert not house.services.tracker.is_behind()


def test_somebody_fetching_the_same_is_waited_for(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(150)

    def meanwhile() -> None:
        hub.before = lambda: None
        request = read_pull(["aws", hub.region])
        assert house.services.pull
        house.services.pull(request, actor=Actor(origin="cli"), now=house.now)

    hub.before = meanwhile
    wait(house, days=1)
    assert last(house).excused == 1, "nobody has to mend anything"
    assert "somebody else" in house.slack.messages("@ana", as_user="ana")[-1].words
    wait(house, minutes=1)
    assert last(house).state is FireState.SENT


def stop_in_the_middle(house: House, hub: Hub) -> None:
    """Have the process told to stop while the first page is fetched."""
    stopping: list[bool] = []
    hub.before = lambda: stopping.append(True)
    house.services = replace(house.services, is_stopping=lambda: bool(stopping))


def go_on_in_the_next(house: House, hub: Hub) -> None:
    hub.before = lambda: None
    house.services = replace(house.services, is_stopping=lambda: False)


def test_a_scheduled_fetch_is_handed_over_by_a_process_that_stops(house: House, hub: Hub) -> None:
    scheduled(house, hub)
    hub.fill(250)
    stop_in_the_middle(house, hub)
    wait(house, days=1)
    assert len(hub.asked) == 1
    assert house.slack.messages("@ana", as_user="ana") == ()
    go_on_in_the_next(house, hub)
    wait(house, seconds=LEASE.total_seconds())
    assert (len(hub.asked), len(told(house))) == (3, 1)


def test_a_fetch_that_was_asked_for_is_handed_over_too(house: House, hub: Hub) -> None:
    hub.fill(250)
    stop_in_the_middle(house, hub)
    request = house.put_command("/report", {"text": f"pull aws {hub.region}", "channel_id": SECURITY})
    house.work_off()
    assert len(hub.asked) == 1
    open_now = house.services.inbox.open_requests(house.services.runner.journal.owner, house.now)
    assert open_now == [request]
    go_on_in_the_next(house, hub)
    house.do("request", request)
    assert len(hub.asked) == 3
    assert "250 findings" in house.whisper("ana").text


def test_working_a_report_in_keeps_the_lease(house: House, hub: Hub) -> None:
    schedule = scheduled(house, hub)
    hub.fill(1)
    wait(house, days=1)
    others: list[list[str]] = []

    class Slow:
        """A tracker that has three more steps to take, each almost as long as a lease."""

        def __getattr__(self, name: str) -> object:
            return getattr(tracker, name)

        def catch_up(self, _now: datetime) -> bool:
            house.now += LEASE - timedelta(seconds=1)
            others.append(house.services.schedules.waiting(house.now))
            return len(others) < 3

    tracker = house.services.tracker
    house.services = replace(house.services, tracker=Slow())  # type: ignore[arg-type]
    hub.put([to_asff(1, hub.region)])
    house.services.scheduling.run_now(schedule.schedule_id, schedule.owner, key="k")
    wait(house, seconds=1)
    assert others == [[], [], []]
    assert len(told(house)) == 2
