"""One zip that shows, to somebody who trusts neither us nor our database's owner, what was signed and what was done.

Inside: the finding, the plan as it was signed, who decided, the states before and after, the trail's entries about it, and the
chain from the first of them to the head. Of other entries only digests are in it. `check.py` recomputes all of it with nothing
but Python's standard library. What was asked for and decided together with others has the entries of that batch in it: they are
what people signed. The evidence of a whole batch has a folder for each of its items.
"""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import BinaryIO

from audit.anchors import Anchor
from audit.errors import NotFoundError
from audit.trail import TrailEntry
from remediation.batches import Members
from remediation.evidence.files import asset, file_info, is_about, json_bytes, trail_lines, write_chain
from remediation.evidence.page import build_batch_page, build_page
from remediation.execution import PlaybookExecution
from remediation.record import action_row, decision_row, execution_row

CHECK = "check.py"
_DEFLATE_LEVEL = 6
_Documents = Iterator[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the zip proves: how many entries are about the execution or the batch, and the head that the chain ends at."""

    entries: int
    head: Anchor


def write_evidence(
    execution: PlaybookExecution, trail: Iterable[TrailEntry], out: BinaryIO, *, now: datetime
) -> Proof:
    """Write the zip about an execution. The trail streams by; only the entries about the execution and its batch are kept.

    Args:
        execution: which one.
        trail: the whole trail, from its first entry.
        out: where the zip goes.
        now: the time on the files.

    Raises:
        NotFoundError: the trail has no entry about it.
    """
    with _archive(out) as archive:
        own, head = write_chain(archive, _names(execution), trail, now)
        proof = _prove(execution.execution_id, own, head)
        _write(archive, _documents(execution, own, proof, now), now)
        _write(archive, _fixed_files(), now)
    return proof


def write_batch_evidence(
    members: Members, trail: Iterable[TrailEntry], out: BinaryIO, *, now: datetime
) -> Proof:
    """Write the zip about a batch: what was signed as a set, and a folder for each item; see `write_evidence`.

    Raises:
        NotFoundError: the trail has no entry about it.
    """
    batch, ids = members.batch, [each.execution_id for each in members.executions]
    with _archive(out) as archive:
        own, head = write_chain(archive, {batch.batch_id, *ids}, trail, now)
        proof = _prove(batch.batch_id, own, head)
        about = [entry for entry in own if is_about(entry, {batch.batch_id})]
        _write(archive, _batch_documents(members, about, proof, now), now)
        for execution in members.executions:
            its = [entry for entry in own if is_about(entry, _names(execution))]
            files = _documents(execution, its, proof, now)
            _write(archive, ((f"{execution.execution_id}/{name}", data) for name, data in files), now)
        _write(archive, _fixed_files(), now)
    return proof


def _archive(out: BinaryIO) -> zipfile.ZipFile:
    return zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_DEFLATE_LEVEL)


def _names(execution: PlaybookExecution) -> set[str]:
    """Return what the entries are about that belong to an execution: itself, and the batch that it was decided in."""
    return {execution.execution_id, *([execution.batch_id] if execution.batch_id else [])}


def _prove(name: str, own: list[TrailEntry], head: Anchor | None) -> Proof:
    if head is None:
        raise NotFoundError(f"the trail has no entry about {name[:80]}")
    return Proof(len(own), head)


def _write(archive: zipfile.ZipFile, documents: Iterable[tuple[str, bytes]], now: datetime) -> None:
    for name, content in documents:
        archive.writestr(file_info(name, now), content)


def _fixed_files() -> _Documents:
    yield "README.txt", asset("README.txt")
    yield CHECK, asset("check.py.txt")


def _documents(
    execution: PlaybookExecution, own: list[TrailEntry], proof: Proof, now: datetime
) -> _Documents:
    yield "execution.json", json_bytes(execution_row(execution))
    yield "finding.json", json_bytes(execution.finding.to_dict())
    if execution.plan:
        yield "plan.json", json_bytes(execution.plan.to_dict())
        yield "signed-plan.json", execution.plan.signed_bytes()
    yield "decisions.json", json_bytes(list(map(decision_row, execution.decisions)))
    yield "actions.json", json_bytes(list(map(action_row, execution.actions)))
    yield "trail.jsonl", trail_lines(own)
    yield (
        "evidence.html",
        build_page(execution, own, head=str(proof.head), now=now).encode("utf-8", "replace"),
    )


def _batch_documents(members: Members, about: list[TrailEntry], proof: Proof, now: datetime) -> _Documents:
    batch = members.batch
    whole = {
        "batch_id": batch.batch_id,
        "playbook_id": batch.playbook_id,
        "requester": batch.requester.to_dict(),
        "created_at": batch.created_at,
        "executions": [[each.execution_id, each.status.value] for each in members.executions],
        "left_out": [asdict(each) for each in batch.left_out],
    }
    yield "batch.json", json_bytes(whole)
    yield "trail.jsonl", trail_lines(about)
    yield (
        "evidence.html",
        build_batch_page(members, about, head=str(proof.head), now=now).encode("utf-8", "replace"),
    )
