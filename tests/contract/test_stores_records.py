"""What an entry says of an execution by digest is what every store gives back: else evidence of what is true would not hold."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from audit.errors import Cause, PermanentActionError
from remediation.evidence import write_evidence
from remediation.journal import InHand
from remediation.playbook import RemediationPlaybook
from remediation.record import record_digest
from remediation.rollbacks import Rollbacks
from remediation.rules import BreakGlass
from storage import Stores
from tests.fakes.stores import MemoryStores
from tests.fakes.switches import ANA, OMAR, POLICY, PRIYA, Bench, Switch, door_finding, door_playbook
from tests.unit.remediation.power import cut_power, run_until_cut
from tests.unit.remediation.test_evidence import check

AnyStores = Stores | MemoryStores
HALF_PAST_SIX = datetime(2026, 11, 24, 11, 59, 59, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
ODD = "no\0thing \ud800 ✓ \u202e"
_POLICY = replace(POLICY, break_glass=BreakGlass(people=frozenset({"U0ANA"})), rollback_approvals=2)


def bench_on(stores: AnyStores) -> Bench:
    bench = Bench(stores.executions, _POLICY, now=HALF_PAST_SIX)
    bench.remediation = replace(bench.remediation, exceptions=stores.exceptions)
    return bench


def put_back(bench: Bench) -> None:
    finding = replace(door_finding(), observed_at=HALF_PAST_SIX, compliance={"CIS": ("1.1",)})
    bench.remediation.request(door_playbook(), finding, ANA, execution_id="x-1")
    bench.remediation.break_glass("x-1", ANA, reason="Fire ✓")
    bench.runner.run("x-1")
    bench.remediation.review("x-1", PRIYA)
    rollbacks = Rollbacks(bench.remediation, bench.runner)
    for person in (OMAR, PRIYA):
        bench.pass_time(microseconds=1)
        rollbacks.ask("x-1", person)


def fail(bench: Bench) -> None:
    """End with texts that no database keeps as they are."""

    def refuse() -> None:
        raise PermanentActionError(ODD, cause=Cause.DENIED)

    bench.board.faults["before write"] = refuse
    bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-1")
    bench.remediation.approve("x-1", OMAR, reason=ODD)
    bench.runner.run("x-1")


def fail_before_it_begins(bench: Bench) -> None:
    def refuse() -> None:
        raise PermanentActionError(ODD, cause=Cause.DENIED)

    bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-1")
    bench.remediation.approve("x-1", OMAR)
    bench.board.faults["read"] = refuse
    bench.runner.run("x-1")


def say_it_oddly(bench: Bench) -> None:
    """Have a handler of one's own tell what became of it in words that no database keeps."""
    spoken = Bench(bench.store, bench.policy, bench.board, now=bench.now, others=(Spoken(bench.board),))
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action("close_door", "spoken", {"name": "door", "to": "closed"})
    spoken.remediation.request(book, door_finding(), ANA, execution_id="x-1")
    spoken.remediation.approve("x-1", OMAR)
    spoken.runner.run("x-1")


class Spoken(Switch):
    """A switch that says what it did."""

    action_type = "spoken"
    key = "spoken"
    done = ODD


def wait(bench: Bench) -> None:
    """Leave a rollback that waits for another signature."""
    put_back_not(bench)
    Rollbacks(bench.remediation, bench.runner).ask("x-1", OMAR)


def put_back_not(bench: Bench) -> None:
    bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-1")
    bench.remediation.approve("x-1", OMAR)
    bench.runner.run("x-1")


def be_taken_over(bench: Bench) -> None:
    """Die before the second write, and be brought to its end by another process."""
    bench.board.switches = {"door": "open", "gate": "open"}
    asked = bench.remediation.request(
        door_playbook(names=("door", "gate")), door_finding(), ANA, execution_id="x-1"
    )
    bench.remediation.approve(asked.execution_id, OMAR)
    bench.board.faults["after write"] = partial(cut_power, bench, "before write")
    run_until_cut(bench, "x-1")
    journal = replace(bench.runner.journal, owner="boot-other")
    bench.board.faults.clear()
    replace(bench.runner, journal=journal, in_hand=InHand()).recover("x-1")
    assert bench.board.switches == {"door": "closed", "gate": "closed"}


@pytest.mark.parametrize("live", [put_back, fail, fail_before_it_begins, say_it_oddly, wait, be_taken_over])
def test_what_was_stored_is_what_the_entries_say(
    stores: AnyStores, tmp_path: Path, live: Callable[[Bench], None]
) -> None:
    bench = bench_on(stores)
    live(bench)
    stored, trail = stores.executions.get("x-1"), list(stores.trail.stream())
    last = json.loads(trail[-1].body)["detail"]
    assert (last["version"], last["record_digest"]) == (stored.version, record_digest(stored))
    out = io.BytesIO()
    write_evidence(stored, trail, out, now=datetime.now(UTC))
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "zip")
    done = check(tmp_path / "zip")
    assert done.returncode == 0, done.stdout
