"""Two processes, many schedules, many slots: each sent exactly once, on SQLite and on Postgres."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from audit.trail import breaks
from exporters.cadence import Cadence
from exporters.scheduling import Scheduling, Wish
from storage import Stores
from tests.contract.conftest import a_schema
from tests.databases import stores_at
from tests.fakes.samples import ANALYST, NOW

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
_SCHEDULES = 5
_SLOTS = 20


def start(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("claimer.py")), url, str(_SLOTS)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(url: str) -> tuple[list[list[str]], Stores]:
    stores = stores_at(url)
    scheduling = Scheduling(store=stores.schedules, clock=lambda: NOW)
    for number in range(_SCHEDULES):
        wish = Wish(schedule_id=f"s-{number}", cadence=Cadence(cron="* * * * *"), channel="C1")
        scheduling.add(wish, ANALYST)
    claimers = [start(url) for _ in range(2)]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    return [claimer.communicate()[0].splitlines() for claimer in claimers], stores


def check(sent: list[list[str]], stores: Stores) -> None:
    counted = Counter(
        line for lines in sent for line in lines if line.startswith("s-")
    )  # the rest is the log
    assert set(counted.values()) == {1}, "nothing was sent twice"
    fires = [fire for number in range(_SCHEDULES) for fire in stores.schedules.fires(f"s-{number}", 999)]
    assert len(counted) == len(fires)
    # A process whose clock is ahead makes up for several at once: each slot is sent or counted as missed, none is both.
    assert sum(1 + fire.missed for fire in fires) == _SCHEDULES * _SLOTS
    assert {(fire.state.value, fire.attempts) for fire in fires} == {("sent", 1)}
    entries = list(stores.trail.stream())
    kinds = Counter(json.loads(entry.body)["kind"] for entry in entries)
    assert kinds["schedule.fired"] == kinds["schedule.sent"] == len(fires)
    assert list(breaks(entries)) == []
    stores.close()


def test_each_slot_is_sent_once_on_sqlite(url: str) -> None:
    check(*race(url))


def test_each_slot_is_sent_once_on_postgres(postgres: str) -> None:
    with a_schema(postgres) as url:
        check(*race(url))
