"""One zip that shows, to somebody who trusts neither us nor our database's owner, what was signed and what was done.

Inside: the finding, the plan as it was signed, who decided, the states before and after, the trail's entries about it, and the
chain from the first of them to the head. Of other entries only digests are in it. `check.py` recomputes all of it with nothing
but Python's standard library.
"""

import base64
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import BinaryIO

from audit.anchors import Anchor
from audit.errors import NotFoundError
from audit.trail import TrailEntry, body_digest
from remediation.evidence.page import build_page
from remediation.execution import PlaybookExecution

CHECK = "check.py"
_DEFLATE_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Proof:
    """What the zip proves: how many entries are about the execution, and the head that the chain ends at."""

    entries: int
    head: Anchor


def write_evidence(
    execution: PlaybookExecution, trail: Iterable[TrailEntry], out: BinaryIO, *, now: datetime
) -> Proof:
    """Write the zip about an execution. The trail streams by; only the entries about the execution are kept.

    Args:
        execution: which one.
        trail: the whole trail, from its first entry.
        out: where the zip goes.
        now: the time on the files.

    Raises:
        NotFoundError: the trail has no entry about it.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL) as archive:
        own, head = _write_chain(archive, execution.execution_id, trail, now)
        if head is None:
            raise NotFoundError(f"the trail has no entry about {execution.execution_id[:80]}")
        proof = Proof(len(own), head)
        for name, content in _documents(execution, own, proof, now):
            archive.writestr(_file(name, now), content)
    return proof


def _write_chain(
    archive: zipfile.ZipFile, execution_id: str, trail: Iterable[TrailEntry], now: datetime
) -> tuple[list[TrailEntry], Anchor | None]:
    """Write every link from the execution's first entry on; return its entries and the last link's anchor."""
    own: list[TrailEntry] = []
    head: Anchor | None = None
    with archive.open(_file("chain.jsonl", now), "w") as chain:
        for entry in trail:
            if _is_about(entry, execution_id):
                own.append(entry)
            if own:
                chain.write(_line(_link(entry)))
                head = Anchor.of(entry)
    return own, head


def _is_about(entry: TrailEntry, execution_id: str) -> bool:
    """Tell whether an entry is about the execution, or about the exception that its rejection granted."""
    try:
        event = json.loads(entry.body)
    except ValueError:  # somebody edited it: it still is a link, and `check.py` says what is wrong with it
        return False
    if not isinstance(event, Mapping):
        return False
    detail = event.get("detail")
    named = detail.get("execution_id") if isinstance(detail, Mapping) else None
    return execution_id in (event.get("subject"), named)


def _link(entry: TrailEntry) -> Mapping[str, object]:
    return {
        "seq": entry.seq,
        "previous_hash": entry.previous_hash.hex(),
        "body_sha256": body_digest(entry.body).hex(),
        "hash": entry.entry_hash.hex(),
    }


def _documents(
    execution: PlaybookExecution, own: list[TrailEntry], proof: Proof, now: datetime
) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", _asset("README.txt")
    yield CHECK, _asset("check.py.txt")
    yield "finding.json", _json(execution.finding.to_dict())
    if execution.plan:
        yield "plan.json", _json(execution.plan.to_dict())
        yield "signed-plan.json", execution.plan.signed_bytes()
    yield "decisions.json", _json([asdict(decision) for decision in execution.decisions])
    yield "actions.json", _json([asdict(result) for result in execution.actions])
    yield "trail.jsonl", b"".join(_line(_told(entry)) for entry in own)
    yield "evidence.html", build_page(execution, own, head=str(proof.head), now=now).encode()


def _told(entry: TrailEntry) -> Mapping[str, object]:
    return {"seq": entry.seq, "body_base64": base64.b64encode(entry.body).decode(), **_readable(entry)}


def _readable(entry: TrailEntry) -> Mapping[str, object]:
    try:
        return {"event": json.loads(entry.body)}
    except ValueError:
        return {}


def _asset(name: str) -> bytes:
    return (resources.files("remediation.evidence") / name).read_bytes()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, default=_spell) + "\n").encode("utf-8", "replace")


def _line(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _spell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(getattr(value, "value", value))


def _file(name: str, now: datetime) -> zipfile.ZipInfo:
    """Return an entry of the zip with the time given, so that the same evidence is the same bytes."""
    info = zipfile.ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
