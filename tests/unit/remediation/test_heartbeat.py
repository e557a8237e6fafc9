"""The heart of a program that runs executions without a bot."""

import threading
from datetime import datetime, timedelta

import pytest

from audit.errors import CountersignError
from remediation.executor import PlaybookExecutor
from remediation.heartbeat import Heartbeat, new_owner
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from tests.fakes.samples import NOW, a_finding, an_event, an_execution

PATIENCE_S = 10


class Counting(MemoryExecutions):
    """Counts beats, and does not take those it is told to refuse; `enough` is set by the one whose number it is given."""

    def __init__(self, *, enough: int = 1, refused: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.beats = 0
        self.enough = threading.Event()
        self._wanted = enough
        self._refused = refused

    def beat(self, owner: str, now: datetime) -> None:
        self.beats += 1
        if self.beats in self._refused:
            raise CountersignError("the database is locked")
        super().beat(owner, now)
        if self.beats >= self._wanted:
            self.enough.set()


def hearts() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_it_beats_before_the_block_and_goes_on_until_its_end() -> None:
    store = Counting(enough=4)
    with Heartbeat(store=store, owner="me", every_s=0.001).beating():
        assert store.beats >= 1
        assert store.enough.wait(PATIENCE_S)
        assert hearts() == ["heartbeat"]
    assert hearts() == []


def test_a_beat_that_fails_is_not_the_last() -> None:
    store = Counting(enough=4, refused=frozenset({2, 3}))
    with Heartbeat(store=store, owner="me", every_s=0.001).beating():
        assert store.enough.wait(PATIENCE_S)


def test_who_cannot_say_that_he_lives_runs_nothing() -> None:
    entered = []
    with (
        pytest.raises(CountersignError, match="locked"),
        Heartbeat(store=Counting(refused=frozenset({1})), owner="me").beating(),
    ):
        entered.append("block")
    assert entered == []
    assert hearts() == []


def test_each_beat_tells_the_time_it_is_made() -> None:
    store, times = Counting(enough=3), iter(range(1000))
    heart = Heartbeat(
        store=store, owner="me", clock=lambda: NOW + next(times) * OWNER_LOST_AFTER, every_s=0.001
    )
    store.create(an_execution(status=PlaybookStatus.RUNNING, owner="me"), an_event())
    with heart.beating():
        assert store.enough.wait(PATIENCE_S)
    last = NOW + (store.beats - 1) * OWNER_LOST_AFTER
    assert store.unfinished("other", last + OWNER_LOST_AFTER - timedelta(seconds=1)) == []


def test_two_programs_never_share_a_name() -> None:
    store = MemoryExecutions()
    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("ask", "manual", {"steps": ["Look at it."]})
    owners = set()
    for number in (1, 2):
        program = PlaybookExecutor(store=store)
        name = program.execute_playbook(book, a_finding(number), "ana@a.example").execution_id
        program.approve_execution(name, "omar@a.example")
        owners.add(program.get_execution(name).owner)
    assert len(owners) == 2
    assert new_owner("boot") != new_owner("boot")
