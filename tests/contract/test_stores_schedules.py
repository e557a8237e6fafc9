"""What every `ScheduleStore` does."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audit.errors import NotFoundError, StateError, TrailError
from exporters.cadence import Cadence
from exporters.schedules import Fire, FireState, Outage, Schedule, ScheduleKind, fire_of
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, an_event, an_event_nobody_can_write
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
NINE = Cadence.daily(9, 30, zone="Europe/Berlin")
LEASE = timedelta(minutes=2)


def a_schedule(name: str = "daily", *, now: datetime = NOW, **changes: object) -> Schedule:
    schedule = Schedule(
        schedule_id=name,
        cadence=NINE,
        owner=ANALYST,
        created_at=now,
        watermark=now,
        next_at=NINE.next_after(now).at,
        channel="C1",
        recipients=("ciso@example.com",),
        format="pdf",
    )
    return replace(schedule, **changes)  # type: ignore[arg-type]


def a_fire(schedule: Schedule, *, missed: int = 0) -> Fire:
    return fire_of(schedule, schedule.cadence.next_after(schedule.watermark), missed=missed, now=NOW)


def moved(schedule: Schedule) -> Schedule:
    """Return the schedule as it is once its next slot was claimed."""
    slot = schedule.cadence.next_after(schedule.watermark)
    return replace(schedule, watermark=slot.at, next_at=schedule.cadence.next_after(slot.at).at)


def claimed(stores: AnyStores, schedule: Schedule | None = None) -> Fire:
    schedule = schedule or a_schedule()
    stores.schedules.add(schedule, an_event("schedule.created"))
    fire = a_fire(schedule)
    assert stores.schedules.claim(schedule, moved(schedule), fire, an_event("schedule.fired"))
    return fire


def kinds(stores: AnyStores) -> list[str]:
    return [json.loads(entry.body)["kind"] for entry in stores.trail.stream()]


@pytest.mark.parametrize(
    "schedule",
    [
        a_schedule(),
        a_schedule(kind=ScheduleKind.PULL, channel="", recipients=(), source="aws"),
        a_schedule(paused_because="by hand", failures=2, rev=4),
    ],
)
def test_a_schedule_comes_back_as_it_was(stores: AnyStores, schedule: Schedule) -> None:
    stores.schedules.add(schedule, an_event("schedule.created"))
    assert stores.schedules.get("daily") == schedule
    assert stores.schedules.all() == [schedule]
    assert kinds(stores) == ["schedule.created"]


def test_a_name_is_given_once(stores: AnyStores) -> None:
    stores.schedules.add(a_schedule(), an_event())
    with pytest.raises(StateError, match="daily already"):
        stores.schedules.add(a_schedule(channel="C2"), an_event())
    assert stores.schedules.get("daily").channel == "C1"
    assert len(kinds(stores)) == 1


@pytest.mark.parametrize("name", ["", "no such", "\0", "x" * 5000])
def test_unknown_names_are_not_found(stores: AnyStores, name: str) -> None:
    with pytest.raises(NotFoundError):
        stores.schedules.get(name)
    with pytest.raises(NotFoundError):
        stores.schedules.fire(name)


def test_without_the_trail_nothing_is_made_claimed_or_settled(stores: AnyStores) -> None:
    with pytest.raises(TrailError):
        stores.schedules.add(a_schedule(), an_event_nobody_can_write())
    assert stores.schedules.all() == []

    schedule = a_schedule()
    stores.schedules.add(schedule, an_event())
    with pytest.raises(TrailError):
        stores.schedules.claim(schedule, moved(schedule), a_fire(schedule), an_event_nobody_can_write())
    with pytest.raises(TrailError):
        stores.schedules.save(schedule, replace(schedule, channel="C2"), an_event_nobody_can_write())
    with pytest.raises(TrailError):
        stores.schedules.remove(schedule, an_event_nobody_can_write())
    assert stores.schedules.get("daily") == schedule
    assert stores.schedules.fires("daily") == []

    assert stores.schedules.claim(schedule, moved(schedule), a_fire(schedule), an_event())
    begun = stores.schedules.begin(a_fire(schedule).fire_id, NOW, until=NOW + LEASE)
    assert begun is not None
    with pytest.raises(TrailError):
        stores.schedules.settle(replace(begun, state=FireState.SENT), an_event_nobody_can_write())
    assert stores.schedules.fire(begun.fire_id).state is FireState.WAITING


def test_due_are_the_active_ones_whose_time_has_come(stores: AnyStores) -> None:
    for name, changes in (
        ("due", {"next_at": NOW}),
        ("later", {"next_at": NOW + timedelta(seconds=1)}),
        ("paused", {"next_at": NOW, "paused_because": "by hand"}),
    ):
        stores.schedules.add(a_schedule(name, **changes), an_event())
    assert [schedule.schedule_id for schedule in stores.schedules.due(NOW)] == ["due"]


def test_a_slot_is_claimed_once(stores: AnyStores) -> None:
    schedule = a_schedule()
    fire = claimed(stores, schedule)
    assert not stores.schedules.claim(schedule, moved(schedule), fire, an_event("schedule.fired"))
    assert stores.schedules.fires("daily") == [fire]
    assert stores.schedules.get("daily") == moved(schedule)
    assert kinds(stores) == ["schedule.created", "schedule.fired"]


def test_a_slot_that_was_sent_is_not_claimed_when_the_clock_goes_back(stores: AnyStores) -> None:
    schedule = a_schedule()
    fire = claimed(stores, schedule)
    later = stores.schedules.get("daily")
    back = stores.schedules.save(later, replace(later, watermark=NOW, next_at=fire.due_at), an_event())
    assert not stores.schedules.claim(back, moved(back), a_fire(back), an_event("schedule.fired"))
    assert stores.schedules.get("daily").watermark == fire.due_at, "the watermark moves on all the same"
    assert kinds(stores).count("schedule.fired") == 1


def test_a_slot_has_one_fire_whatever_that_is_called(stores: AnyStores) -> None:
    fire = claimed(stores)
    other = replace(fire, fire_id="fire-by-another-name")
    assert not stores.schedules.ask(other, an_event("schedule.fired"))
    assert stores.schedules.fires("daily") == [fire]
    assert kinds(stores).count("schedule.fired") == 1


@pytest.mark.parametrize("what", ["paused", "changed", "removed"])
def test_what_was_changed_meanwhile_is_not_claimed(stores: AnyStores, what: str) -> None:
    schedule = a_schedule()
    stores.schedules.add(schedule, an_event())
    if what == "removed":
        stores.schedules.remove(schedule, an_event())
    else:
        changes = {"paused": {"paused_because": "by hand"}, "changed": {"channel": "C2"}}[what]
        stores.schedules.save(schedule, replace(schedule, **changes), an_event())  # type: ignore[arg-type]
    assert not stores.schedules.claim(schedule, moved(schedule), a_fire(schedule), an_event())
    assert stores.schedules.fires("daily") == []


def test_a_paused_one_is_not_claimed_even_as_it_stands(stores: AnyStores) -> None:
    paused = a_schedule(paused_because="by hand")
    stores.schedules.add(paused, an_event())
    assert not stores.schedules.claim(paused, moved(paused), a_fire(paused), an_event())


def test_a_change_raises_the_revision_and_the_second_of_two_is_refused(stores: AnyStores) -> None:
    schedule = a_schedule()
    stores.schedules.add(schedule, an_event())
    saved = stores.schedules.save(schedule, replace(schedule, channel="C2"), an_event())
    assert saved == stores.schedules.get("daily") == replace(schedule, channel="C2", rev=2)
    for again in (
        lambda: stores.schedules.save(schedule, replace(schedule, channel="C3"), an_event()),
        lambda: stores.schedules.remove(schedule, an_event()),
    ):
        with pytest.raises(StateError, match="changed meanwhile"):
            again()
    assert stores.schedules.get("daily").channel == "C2"


def test_a_change_that_saw_an_older_watermark_is_refused(stores: AnyStores) -> None:
    schedule = a_schedule()
    claimed(stores, schedule)
    with pytest.raises(StateError):
        stores.schedules.save(schedule, replace(schedule, channel="C2"), an_event())


def test_what_is_removed_is_gone_with_its_fires(stores: AnyStores) -> None:
    fire = claimed(stores)
    stores.schedules.remove(stores.schedules.get("daily"), an_event("schedule.removed"))
    assert stores.schedules.all() == []
    assert stores.schedules.waiting(NOW + timedelta(days=9)) == []
    with pytest.raises(NotFoundError):
        stores.schedules.fire(fire.fire_id)
    stores.schedules.add(a_schedule(), an_event())


def test_asked_for_is_once_per_asking(stores: AnyStores) -> None:
    schedule = a_schedule()
    stores.schedules.add(schedule, an_event())
    fire = replace(a_fire(schedule), fire_id="fire-now", slot="now q-1", asked_by=ANALYST)
    assert stores.schedules.ask(fire, an_event("schedule.fired"))
    assert not stores.schedules.ask(fire, an_event("schedule.fired"))
    assert stores.schedules.fires("daily") == [fire]
    assert stores.schedules.get("daily") == schedule, "its own times stay as they are"
    assert kinds(stores).count("schedule.fired") == 1
    with pytest.raises(NotFoundError):
        stores.schedules.ask(replace(fire, schedule_id="other"), an_event())


def test_one_process_at_a_time_attempts_a_fire(stores: AnyStores) -> None:
    fire = claimed(stores)
    assert stores.schedules.waiting(NOW) == [fire.fire_id]
    begun = stores.schedules.begin(fire.fire_id, NOW, until=NOW + LEASE)
    assert begun == stores.schedules.fire(fire.fire_id)
    assert begun == replace(fire, attempts=1, not_before=NOW + LEASE)
    assert stores.schedules.waiting(NOW) == []
    assert stores.schedules.begin(fire.fire_id, NOW, until=NOW + LEASE) is None


def test_another_takes_over_when_the_lease_is_over_and_the_first_is_out(stores: AnyStores) -> None:
    fire = claimed(stores)
    first = stores.schedules.begin(fire.fire_id, NOW, until=NOW + LEASE)
    assert first is not None
    assert stores.schedules.waiting(NOW + LEASE) == [fire.fire_id]
    second = stores.schedules.begin(fire.fire_id, NOW + LEASE, until=NOW + 2 * LEASE)
    assert second is not None
    assert second.attempts == 2

    for late in (
        lambda: stores.schedules.note(replace(first, parts=("channel",))),
        lambda: stores.schedules.settle(replace(first, state=FireState.SENT), an_event()),
    ):
        with pytest.raises(StateError, match="taken over"):
            late()
    stores.schedules.note(replace(second, parts=("channel", "mail"), error="why"))
    assert stores.schedules.fire(fire.fire_id).parts == ("channel", "mail")


def test_what_is_settled_stays_settled(stores: AnyStores) -> None:
    fire = claimed(stores)
    begun = stores.schedules.begin(fire.fire_id, NOW, until=NOW)
    assert begun is not None
    sent = replace(begun, state=FireState.SENT, parts=("channel",))
    stores.schedules.settle(sent, an_event("schedule.sent"))
    assert stores.schedules.fire(fire.fire_id) == sent
    assert stores.schedules.waiting(NOW + timedelta(days=9)) == []
    assert stores.schedules.begin(fire.fire_id, NOW + timedelta(days=9), until=NOW) is None
    with pytest.raises(StateError):
        stores.schedules.settle(sent, an_event("schedule.sent"))
    assert kinds(stores).count("schedule.sent") == 1


def test_failures_in_a_row_are_counted(stores: AnyStores) -> None:
    schedule, counted = a_schedule(), []
    stores.schedules.add(schedule, an_event())
    states = (FireState.FAILED, FireState.FAILED, FireState.OVERTAKEN, FireState.SENT, FireState.FAILED)
    for number, state in enumerate(states):
        fire = replace(a_fire(schedule), fire_id=f"fire-{number}", slot=f"now {number}")
        stores.schedules.ask(fire, an_event())
        begun = stores.schedules.begin(fire.fire_id, NOW, until=NOW)
        assert begun is not None
        counted.append(stores.schedules.settle(replace(begun, state=state), an_event()).failures)
    assert counted == [1, 2, 2, 0, 1]
    assert [fire.fire_id for fire in stores.schedules.fires("daily", limit=2)] == ["fire-4", "fire-3"]


def test_what_went_wrong_lately_is_found_whatever_became_of_it(stores: AnyStores) -> None:
    schedule, wanted = a_schedule(), []
    stores.schedules.add(schedule, an_event())
    for number, state in enumerate([*FireState, FireState.SENT]):
        fire = replace(a_fire(schedule), fire_id=f"fire-{number}", slot=f"now {number}")
        stores.schedules.ask(fire, an_event())
        begun = stores.schedules.begin(fire.fire_id, NOW, until=NOW + timedelta(minutes=number))
        assert begun is not None
        error = "" if number == len(FireState) else "why"
        after = replace(begun, state=state, error=error, excused=number, to_mend=bool(number % 2))
        if state is FireState.WAITING:
            stores.schedules.note(after)
        else:
            stores.schedules.settle(after, an_event())
        assert stores.schedules.fire(fire.fire_id) == after
        wanted += [after] if error else []
    assert stores.schedules.troubled(NOW - timedelta(minutes=1)) == wanted
    assert stores.schedules.troubled(NOW + timedelta(minutes=1)) == wanted[2:]


def a_run(stores: AnyStores, *ends: tuple[FireState, str]) -> list[Fire]:
    """Have a schedule of fires that ended like this, the oldest first, two of them due at the same moment."""
    schedule = a_schedule()
    stores.schedules.add(schedule, an_event())
    made = []
    for number, (state, error) in enumerate(ends):
        due_at = NOW + timedelta(minutes=max(number, 1))
        fire = replace(a_fire(schedule), fire_id=f"fire-{number:02}", slot=str(number), due_at=due_at)
        stores.schedules.ask(fire, an_event())
        if state is not FireState.WAITING or error:
            begun = stores.schedules.begin(fire.fire_id, NOW, until=NOW + LEASE)
            assert begun is not None
            fire = replace(begun, state=state, error=error)
            if state is FireState.WAITING:
                stores.schedules.note(fire)
            else:
                stores.schedules.settle(fire, an_event())
        made.append(fire)
    return made


SENT, WAITING, FAILED, OVERTAKEN = FireState.SENT, FireState.WAITING, FireState.FAILED, FireState.OVERTAKEN


@pytest.mark.parametrize(
    ("ends", "since", "error"),
    [
        ([], None, ""),
        ([(SENT, ""), (SENT, "")], None, ""),
        ([(FAILED, "old"), (SENT, ""), (WAITING, "")], 2, ""),
        ([(SENT, ""), (OVERTAKEN, "away")], 1, "away"),
        ([(SENT, ""), (OVERTAKEN, "older"), (OVERTAKEN, "newer"), (WAITING, "")], 1, "newer"),
        ([(OVERTAKEN, "away"), (FAILED, "no")], 0, "no"),
        ([(OVERTAKEN, "away"), *[(WAITING, "")] * 20], 0, "away"),
    ],
)
def test_an_outage_goes_back_to_the_last_that_was_sent(
    stores: AnyStores, ends: list[tuple[FireState, str]], since: int | None, error: str
) -> None:
    made = a_run(stores, *ends)
    found = stores.schedules.outage("daily")
    wanted = None if since is None else Outage(first=made[since], newest=made[-1], error=error)
    assert found == wanted
    assert stores.schedules.outage("another") is None


def test_the_newest_that_came_to_nothing_is_found_behind_any_others(stores: AnyStores) -> None:
    made = a_run(stores, (FAILED, "a"), (FAILED, "b"), *[(SENT, "")] * 20)
    assert stores.schedules.last_failed("daily") == made[1]
    assert stores.schedules.last_failed("another") is None
