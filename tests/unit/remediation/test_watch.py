"""Who counts as lost: only who has said nothing for long enough while we were listening."""

from datetime import timedelta

import pytest

from remediation.ports import OWNER_LOST_AFTER
from remediation.watch import LONGEST_LOOK_S, Watch
from tests.fakes.samples import NOW

LOST_S = OWNER_LOST_AFTER.total_seconds()
MOMENT = timedelta(microseconds=1)


class Ticking:
    """A watch whose seconds pass by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.watch = Watch(ticks=lambda: self.seconds)
        self.said = NOW

    def look(self, *, after_s: float = 0.0) -> bool:
        self.seconds += after_s
        self.watch.look({"boot-a": self.said})
        return self.watch.has_lost("boot-a", self.said)


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def test_who_says_nothing_for_long_enough_is_lost(ticking: Ticking) -> None:
    steps = int(LOST_S / 2)
    assert not ticking.look(after_s=500)
    assert [ticking.look(after_s=2) for _ in range(steps)] == [False] * (steps - 1) + [True]


@pytest.mark.parametrize("said", [MOMENT, timedelta(days=30), timedelta(days=-30)])
def test_whatever_it_says_anew_it_is_alive(ticking: Ticking, said: timedelta) -> None:
    ticking.look()
    for _ in range(100):
        ticking.said += said
        assert not ticking.look(after_s=LONGEST_LOOK_S)


def test_a_pause_of_our_own_is_no_silence_of_others(ticking: Ticking) -> None:
    ticking.look()
    assert not ticking.look(after_s=100_000)
    steps = int(LOST_S / LONGEST_LOOK_S)
    assert [ticking.look(after_s=100_000) for _ in range(steps - 1)] == [False] * (steps - 2) + [True]


def test_what_it_said_since_the_last_look_counts(ticking: Ticking) -> None:
    for _ in range(20):
        ticking.look(after_s=LONGEST_LOOK_S)
    assert ticking.watch.has_lost("boot-a", NOW)
    assert not ticking.watch.has_lost("boot-a", NOW + MOMENT)


def test_who_is_not_listened_to_is_not_lost_but_who_never_spoke_is(ticking: Ticking) -> None:
    assert not ticking.watch.has_lost("boot-a", NOW)
    assert ticking.watch.has_lost("boot-a", None)


def test_who_had_nothing_to_do_for_a_time_is_listened_to_anew(ticking: Ticking) -> None:
    for _ in range(20):
        ticking.look(after_s=LONGEST_LOOK_S)
    ticking.watch.look({})
    assert not ticking.look(after_s=LONGEST_LOOK_S)
