"""When schedules are due: as the clock on the wall says, across the changes of daylight-saving time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import InputError
from exporters.cadence import Cadence, zone_named
from tests.examples import share

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CHANGING = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo")


def walls(cadence: Cadence, after: datetime, count: int) -> list[str]:
    """Return the next times as the clocks of the schedule's zone show them."""
    zone = ZoneInfo(cadence.zone)
    return [f"{slot.at.astimezone(zone):%m-%d %H:%M%z}" for slot in cadence.upcoming(after, count)]


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Berlin", "2026-03-28", ["03-28 02:30+0100", "03-29 03:30+0200", "03-30 02:30+0200"]),
        ("Europe/Berlin", "2026-10-24", ["10-24 02:30+0200", "10-25 02:30+0200", "10-26 02:30+0100"]),
        ("America/New_York", "2026-03-07", ["03-07 02:30-0500", "03-08 03:30-0400", "03-09 02:30-0400"]),
        ("America/New_York", "2026-10-31", ["10-31 02:30-0400", "11-01 02:30-0500", "11-02 02:30-0500"]),
        ("Australia/Lord_Howe", "2026-10-03", ["10-03 02:30+1030", "10-04 02:30+1100", "10-05 02:30+1100"]),
    ],
)
def test_half_past_two_comes_once_a_day(zone: str, day: str, expected: list[str]) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    assert walls(Cadence.daily(2, 30, zone=zone), midnight, 3) == expected


@pytest.mark.parametrize(
    ("zone", "hour", "minute", "day", "expected"),
    [  # Lord Howe's clocks move by half an hour: 02:15 is left out in spring, 01:45 comes twice in autumn
        ("Australia/Lord_Howe", 2, 15, "2026-10-04", ["10-04 02:45+1100", "10-05 02:15+1100"]),
        ("Australia/Lord_Howe", 1, 45, "2026-04-05", ["04-05 01:45+1100", "04-06 01:45+1030"]),
        ("America/New_York", 1, 30, "2026-11-01", ["11-01 01:30-0400", "11-02 01:30-0500"]),
        ("Africa/Cairo", 0, 0, "2026-04-24", ["04-24 01:00+0300", "04-25 00:00+0300"]),
    ],
)
def test_other_hours_that_are_left_out_or_come_twice(
    zone: str, hour: int, minute: int, day: str, expected: list[str]
) -> None:
    before = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(minutes=1)
    assert walls(Cadence.daily(hour, minute, zone=zone), before, 2) == expected


def test_a_time_that_the_gap_moves_past_midnight_is_still_the_day_befores() -> None:
    just_after_midnight = datetime(
        2026, 3, 29, 1, 10, tzinfo=UTC
    )  # 00:10 in Nuuk, where 23:00 to 24:00 was left out
    following = Cadence.daily(23, 30, zone="America/Nuuk").next_after(just_after_midnight)
    assert following.key == "2026-03-28T23:30"
    assert following.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_nine_stays_nine(day: str) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    shown = walls(Cadence.daily(9, zone="Europe/Berlin"), midnight, 3)
    assert [wall[6:11] for wall in shown] == ["09:00"] * 3
    assert len({wall[11:] for wall in shown}) == 2, "the offset changes in between"


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-06-01"])
def test_every_half_hour_goes_by_real_time(day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    slots = takewhile(
        lambda slot: slot.at <= start + timedelta(days=3),
        Cadence(cron="*/30 * * * *", zone="Europe/Berlin").after(start),
    )
    keys = [slot.key for slot in slots]
    assert len(keys) == len(set(keys)) == 144


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 9 * * 1", "Mon"),
        ("0 9 * * 0", "Sun"),
        ("0 9 * * 7", "Sun"),
        ("0 9 * * sun", "Sun"),
        ("0 9 * * FRI", "Fri"),
        ("0 9 * * 6-7", "Sat Sun"),
        ("0 9 * * fri-sun", "Fri Sat Sun"),
        ("0 9 * * sun-tue", "Mon Sun Tue"),
        ("0 9 * * 1-5", "Fri Mon Thu Tue Wed"),
        ("0 9 * * */2", "Sat Sun Thu Tue"),
    ],
)
def test_weekdays_are_what_people_mean(line: str, expected: str) -> None:
    names = {f"{slot.at:%a}" for slot in Cadence(cron=line).upcoming(NOON, 14)}
    assert " ".join(sorted(names)) == expected


def test_the_specifications_weekday_counts_from_monday() -> None:
    assert [f"{Cadence.weekly(day, 8).next_after(NOON).at:%a}" for day in range(7)] == [
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 9 29 2 *", "2028-02-29"),
        ("0 9 31 * *", "2026-12-31"),
        ("0 9 1,15 jan-mar *", "2027-01-01"),
        ("0 9 13 * fri", "2026-12-04"),  # either the 13th or a Friday, as crontab(5) says
        ("0 9 */2 * fri", "2026-12-11"),  # a star joins both
    ],
)
def test_days(line: str, expected: str) -> None:
    assert f"{Cadence(cron=line).next_after(NOON).at:%Y-%m-%d}" == expected


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 9 31 2 *", "never due"),
        ("0 9 * *", "five fields"),
        ("0 9 * * * *", "five fields"),
        ("", "five fields"),
        ("@daily", "five fields"),
        ("60 9 * * *", "no minute"),
        ("0 24 * * *", "no hour"),
        ("0 9 0 * *", "no day of the month"),
        ("0 9 * 13 *", "no month"),
        ("0 9 * * 8", "no weekday"),
        ("0 9 * * mo", "no weekday"),
        ("0 9 * * fri-mon", "no weekday"),
        ("*/0 9 * * *", "no minute"),
        ("5-1 9 * * *", "no minute"),
        ("*-5 9 * * *", "no minute"),
        ("0 9 * * 1,", "no weekday"),
        ("-1 9 * * *", "no minute"),
        ("٣ 9 * * *", "no minute"),
        ("0 9 " + "*" * 300 + " * *", "five fields"),
    ],
)
def test_what_is_no_crontab_line(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Cadence(cron=line)


@pytest.mark.parametrize(
    ("name", "says"),
    [("Europe/Berln", "Did you mean Europe/Berlin"), ("", "no time zone"), ("../etc/passwd", "no time zone")],
)
def test_what_is_no_time_zone(name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        zone_named(name)


def test_a_zone_is_known_in_any_case() -> None:
    assert Cadence.daily(9, zone=" europe/berlin").zone == "Europe/Berlin"


@pytest.mark.parametrize(("hour", "minute"), [(24, 0), (-1, 0), (9, 60), (9, -1), (True, 0)])
def test_what_is_no_time(hour: int, minute: int) -> None:
    with pytest.raises(InputError):
        Cadence.daily(hour, minute)


@pytest.mark.parametrize("day", [7, -1, True])
def test_what_is_no_weekday(day: int) -> None:
    with pytest.raises(InputError, match="0 \\(Monday\\) to 6"):
        Cadence.weekly(day, 9)


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        (Cadence.daily(9, zone="Europe/Berlin"), "every day at 09:00 (Europe/Berlin)"),
        (Cadence.weekly(0, 8, 5), "every Monday at 08:05 (UTC)"),
        (Cadence(cron="0 9 * * 7"), "every Sunday at 09:00 (UTC)"),
        (Cadence(cron="*/15  9 * * *"), "at “*/15 9 * * *” (UTC)"),
        (Cadence(cron="0 9 1 * *"), "at “0 9 1 * *” (UTC)"),
        (Cadence(cron="0 9 * * 1-5"), "at “0 9 * * 1-5” (UTC)"),
    ],
)
def test_it_says_what_it_is(cadence: Cadence, words: str) -> None:
    assert cadence.describe() == words


@settings(max_examples=share(150))
@given(
    zone=st.sampled_from(CHANGING),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    year=st.integers(2010, 2036),
)
def test_a_named_hour_comes_once_a_day_all_the_year(zone: str, hour: int, minute: int, year: int) -> None:
    start = datetime(year, 1, 1, 12, tzinfo=UTC)
    slots = Cadence.daily(hour, minute, zone=zone).upcoming(start, 366)
    assert all(earlier.at < later.at for earlier, later in pairwise(slots))
    days = [datetime.fromisoformat(slot.key).date() for slot in slots]
    assert days == [days[0] + timedelta(days=number) for number in range(366)]
    wall = f"{hour:02}:{minute:02}"
    moved = [slot for slot in slots if f"{slot.at.astimezone(ZoneInfo(zone)):%H:%M}" != wall]
    assert len(moved) <= 2, "only an hour that is left out is later (Cairo had two in 2010)"
    assert {slot.key[11:] for slot in slots} == {wall}


@settings(max_examples=share(100))
@given(
    zone=st.sampled_from(CHANGING),
    line=st.sampled_from(["*/20 * * * *", "5 */6 * * *", "30 2,3 * * *", "*/15 2 * * *", "0 0 * * 0"]),
    minutes=st.integers(0, 3 * 366 * 24 * 60),
)
def test_slots_are_the_same_from_wherever_one_looks(zone: str, line: str, minutes: int) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    cadence = Cadence(cron=line, zone=zone)
    first, second, third = cadence.upcoming(at, 3)
    assert at < first.at < second.at < third.at
    assert cadence.next_after(first.at) == second
    assert cadence.next_after(second.at - timedelta(microseconds=1)) == second
    assert len({first.key, second.key, third.key}) == 3
