"""Evidence to be checked: fixes with a story, written as `countersign trail evidence` writes them, and unpacked."""

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from audit.actor import WORKER, Actor
from audit.anchors import Anchor
from audit.findings import Finding
from audit.trail import TrailEntry, TrailEvent, append
from remediation.evidence import write_batch_evidence, write_evidence
from remediation.evidence.files import asset
from remediation.excepting import ExceptionWish
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.rollbacks import Rollbacks
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, START, Bench, door_finding, door_playbook
from tests.unit.remediation.hall import Hall, doors

_STRICT = replace(POLICY, rollback_approvals=2, required_approvals=2)
# What an earlier version did not write into the entries.
_SINCE = {"version", "record_digest", "finding_digest", "advice_digest", "created_at"}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A zip that was unpacked, the whole trail as it is exported, and its last entry's number and anchor."""

    folder: Path
    trail: Path
    head: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Lived:
    """An execution that was put back, as it was when it had run and at the end, and the trail at both moments."""

    ran: PlaybookExecution
    trail_then: list[TrailEntry]
    back: PlaybookExecution
    trail: list[TrailEntry]


def live(*, reason: str = "As agreed") -> Lived:
    """Two actions, two signatures, a look after the fix, a rollback that was refused, and one that was signed; others between."""
    store = MemoryExecutions()
    bench = Bench(store, _STRICT)
    bench.board.switches = {"door": "open", "gate": "open"}
    bench.remediation.request(
        door_playbook(names=("door", "gate")), _full_finding(), ANA, execution_id="x-proof"
    )
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/hall"), ANA)
    bench.remediation.approve("x-proof", OMAR, reason=reason)
    bench.pass_time(minutes=1)
    bench.remediation.approve("x-proof", PRIYA)
    ran = bench.runner.run("x-proof")
    looked = TrailEvent(kind="finding.not_fixed", actor=WORKER, at=bench.now, subject="x-proof")
    store.trail.append(append(store.trail[-1], looked))
    trail_then = list(store.trail)
    rollbacks = Rollbacks(bench.remediation, bench.runner)
    rollbacks.ask("x-proof", OMAR)
    rollbacks.refuse("x-proof", PRIYA)
    bench.pass_time(minutes=1)
    rollbacks.ask("x-proof", OMAR)
    back = rollbacks.ask("x-proof", PRIYA)
    assert back.status is PlaybookStatus.ROLLED_BACK
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/roof"), ANA)
    return Lived(ran, trail_then, back, store.trail)


def joined(folder: Path) -> Unpacked:
    """One that others asked for too: while it waited, while it ran, and while the door stood otherwise than when it was planned."""
    store = MemoryExecutions()
    bench = Bench(store)

    def join() -> None:
        assert bench.remediation.request(door_playbook(), door_finding(), OTTO).execution_id == "x-joined"

    bench.remediation.request(door_playbook(), door_finding(), ANA, execution_id="x-joined")
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/hall"), ANA)
    join()
    bench.board.switches["door"] = "ajar"
    join()
    bench.board.switches["door"] = "open"
    bench.remediation.approve("x-joined", OMAR)
    bench.board.faults["before write"] = join
    ran = bench.runner.run("x-joined")
    assert ran.status is PlaybookStatus.COMPLETED
    bench.remediation.request(door_playbook(), replace(door_finding(), resource="board/roof"), ANA)
    return write(ran, store.trail, folder)


def _full_finding() -> Finding:
    return replace(
        door_finding(),
        category="Doors",
        description="It stands open.",
        remediation="Close it.",
        check_id="door_open",
        account_id="1",
        region="hall",
        observed_at=START,
        compliance={"CIS": ("1.1", "1.2")},
    )


def put_back(folder: Path) -> Unpacked:
    lived = live()
    return write(lived.back, lived.trail, folder)


def decided_together(folder: Path, *, item: int | None = None) -> Unpacked:
    """Three that were asked for together: one left as it is by an exception, two approved, run and put back."""
    hall = Hall()
    hall.ask(doors(3))
    first = hall.members().executions[0].execution_id
    wish = ExceptionWish((START + timedelta(days=5)).date(), OTTO)
    hall.decisions.reject("b-1", PRIYA, set_seen=hall.seen(), reason="It moves", only={first}, wish=wish)
    hall.approve(OMAR)
    hall.run()
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    hall.ask(doors(4)[3:], batch_id="b-2")
    trail, out = list(hall.stores.trail.stream()), io.BytesIO()
    if item is not None:
        return write(hall.members().executions[item], trail, folder)
    write_batch_evidence(hall.members(), trail, out, now=START)
    return _unpack(out, trail, folder)


def write(execution: PlaybookExecution, trail: Sequence[TrailEntry], folder: Path) -> Unpacked:
    """Write the evidence about an execution, and unpack it into a folder."""
    out = io.BytesIO()
    write_evidence(execution, trail, out, now=START)
    return _unpack(out, trail, folder)


def _unpack(out: io.BytesIO, trail: Sequence[TrailEntry], folder: Path) -> Unpacked:
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder / "zip")
    path, head = folder / "trail.jsonl", trail[-1]
    path.write_text("".join(map(_exported, trail)), encoding="utf-8")
    return Unpacked(folder / "zip", path, head.seq, str(Anchor.of(head)))


def _exported(entry: TrailEntry) -> str:
    hashes = {"hash": entry.entry_hash.hex(), "previous_hash": entry.previous_hash.hex()}
    body = base64.b64encode(entry.body).decode()
    return (
        json.dumps({"seq": entry.seq, **hashes, "event": json.loads(entry.body), "body_base64": body}) + "\n"
    )


def forget(trail: Iterable[TrailEntry], *, until: int = 10**6) -> list[TrailEntry]:
    """Return a trail of which entries up to a number are as an earlier version wrote them."""
    entries = list[TrailEntry]()
    for entry in trail:
        event = json.loads(entry.body)
        gone = _SINCE if entry.seq <= until else set[str]()
        old = TrailEvent(
            kind=event["kind"],
            actor=Actor(**event["actor"]),
            at=datetime.fromisoformat(event["at"]),
            subject=event["subject"],
            detail={name: value for name, value in event["detail"].items() if name not in gone},
        )
        entries.append(append(entries[-1] if entries else None, old))
    return entries


def check_with(of: Unpacked, *more: str) -> Callable[[], tuple[int, str]]:
    """Return what runs the check in this process and returns its exit code and words: hundreds of changes are made."""
    script: dict[str, object] = {"__name__": "check", "__file__": str(of.folder / "check.py")}
    exec(compile(asset("check.py.txt"), "check.py", "exec"), script)  # noqa: S102 - the file that we ship
    main = script["main"]
    assert callable(main)

    def check() -> tuple[int, str]:
        with redirect_stdout(io.StringIO()) as said:
            code = int(main([str(of.folder), *more]))
        return code, said.getvalue()

    return check
