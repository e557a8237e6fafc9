"""Two processes want to answer the same requests, on SQLite and on Postgres: exactly one gets each, and keeps it while it is heard of."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from remediation.ports import ANSWERER_LOST_AFTER, Request
from storage import Stores
from tests.fakes.samples import ANALYST, NOW

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
MOMENT = timedelta(seconds=1)
NAMES = [f"req-{number}" for number in range(60)]
OVER = NOW + ANSWERER_LOST_AFTER


@dataclass
class Answerer:
    """A process with an owner's name."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, url: str, owner: str) -> "Answerer":
        command = [sys.executable, str(Path(__file__).with_name("answerer.py")), url, owner]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        return cls(subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True))

    def tell(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{' '.join(words)}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def beat(self, now: datetime) -> None:
        self.tell("beat", now.isoformat())
        self.hear()


@dataclass
class Race:
    """Two processes on one database, and this one beside them."""

    stores: Stores
    left: Answerer
    right: Answerer

    def begin(self, now: datetime) -> list[dict[str, int]]:
        """Let both take what they get at once; return what each got."""
        for answerer in (self.left, self.right):
            answerer.tell("begin", now.isoformat(), *NAMES)
        return [json.loads(answerer.hear()) for answerer in (self.left, self.right)]


@pytest.fixture
def race(racing: Stores, racing_url: str) -> Iterator[Race]:
    for name in NAMES:
        racing.inbox.put(
            Request(request_id=name, kind="action", actor=ANALYST, received_at=NOW, payload={"a": 1})
        )
    with ExitStack() as stack:
        answerers = [Answerer.start(racing_url, owner) for owner in ("left", "right")]
        for answerer in answerers:
            stack.enter_context(answerer.process)
        assert [answerer.hear() for answerer in answerers] == ["ready\n"] * 2
        yield Race(racing, *answerers)
        for answerer in answerers:
            assert answerer.process.stdin is not None
            answerer.process.stdin.close()


def check_shared_out(got: list[dict[str, int]], *, attempts: int) -> None:
    """Hold the outcome of a race to what was promised: each request has exactly one who answers it."""
    left, right = got
    assert left.keys() & right.keys() == set(), "got by both"
    assert left.keys() | right.keys() == set(NAMES), "got by nobody"
    assert {*left.values(), *right.values()} == {attempts}


def test_exactly_one_gets_each_and_keeps_it_while_it_is_heard_of(race: Race) -> None:
    first = race.begin(NOW)
    check_shared_out(first, attempts=1)
    for now in (NOW, OVER - MOMENT):
        again = race.begin(now)
        assert [set(got) for got in again] == [set(got) for got in first], (
            "an owner goes on with its own, and no other's"
        )
    for answerer in (race.left, race.right):
        answerer.beat(OVER + ANSWERER_LOST_AFTER)
    late = race.begin(OVER + ANSWERER_LOST_AFTER + MOMENT)
    assert [set(got) for got in late] == [set(got) for got in first]


def test_what_a_dead_owner_had_goes_to_exactly_one(race: Race) -> None:
    for name in NAMES:
        assert race.stores.inbox.begin(name, owner="dead", now=NOW)
    race.stores.executions.beat("dead", NOW + MOMENT)
    assert race.begin(OVER) == [{}, {}], "it was heard of a moment ago"
    check_shared_out(race.begin(OVER + MOMENT), attempts=2)
    assert [race.stores.inbox.begin(name, owner="dead", now=OVER + MOMENT) for name in NAMES] == [None] * len(
        NAMES
    )


def test_what_is_answered_is_got_by_nobody(race: Race) -> None:
    for name in NAMES:
        race.stores.inbox.done(name)
    assert race.begin(OVER) == [{}, {}]
