"""Looking for executions the way people do: by the beginning of an id, by what waits, by who asked."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from audit.actor import Actor
from audit.errors import NotFoundError
from audit.ports import ReportStore
from remediation.batches import Batches, Members
from remediation.execution import PlaybookExecution
from remediation.pending_query import ALL_PENDING, PendingQuery, Signer
from remediation.ports import ExecutionStore
from remediation.rules import Rule


class PendingCount(NamedTuple):
    """How many executions wait, and how many entries of a list they are: a batch is one."""

    fixes: int
    entries: int


class ExecutionFinder(Protocol):
    """Reads executions; changes none."""

    def named(self, name: str) -> PlaybookExecution:
        """Return the one execution whose id is the name, or begins with it, in any case.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def pending(self, query: PendingQuery = ALL_PENDING, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return executions that wait for a decision and match, those whose time ends first first."""

    def entries(self, query: PendingQuery, *, limit: int = 10, offset: int = 0) -> list[PlaybookExecution]:
        """Return the same where they match, and of what shares a batch's card only the first: a page of it, from `offset` on."""

    def count_pending(self) -> int:
        """Return how many executions wait for a decision."""

    def count_entries(self, query: PendingQuery) -> PendingCount:
        """Return how many executions wait and match, and how many entries of a list they are."""

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None, signer: Signer | None = None
    ) -> list[PlaybookExecution]:
        """Return executions whose rollback waits for signatures, those whose time ends first first.

        `after` is the last of the page before; with a signer only those that a rule decides about which names them.
        """

    def deciding_rules(self, rules: Sequence[Rule]) -> frozenset[int | None]:
        """Return the places (from 0) of the rules that decide about anything that waits; None where no rule fits."""

    def ran(self, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what was approved and what became of it, newest first: nothing that waits, was rejected or expired."""

    def asked_by(self, person: Actor, *, limit: int = 10) -> list[PlaybookExecution]:
        """Return what a person of Slack has asked for, newest first."""


def find_named(name: str, *, finder: ExecutionFinder, batches: Batches) -> PlaybookExecution | Members:
    """Return the execution, or the batch, that people mean: the ids of batches begin with `b-`.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    if not _is_of_batch(name):
        return finder.named(name)
    try:
        return batches.named(name)
    except NotFoundError:
        with suppress(NotFoundError):  # programs name their executions as they like
            return finder.named(name)
        raise


def _is_of_batch(name: str) -> bool:
    return name.strip().lower().startswith("b-")


def find_history(  # noqa: PLR0913 - all are named at each call
    name: str,
    *,
    executions: ExecutionStore,
    reports: ReportStore,
    batches: Batches,
    playbooks: Iterable[str],
    limit: int,
    offset: int = 0,
) -> list[PlaybookExecution]:
    """Return the executions of a playbook or for a finding, newest first; those of a batch in its order. From an offset on.

    A finding whose report is gone is known by the scanner's id: what was done about it outlives the report.

    Raises:
        NotFoundError: neither a playbook nor a batch nor a finding nor an execution goes by that name.
    """
    folded = {book.casefold(): book for book in playbooks}
    if book := folded.get(name.casefold()):
        return executions.history(playbook_id=book, limit=limit, offset=offset)
    if _is_of_batch(name):
        with suppress(NotFoundError):
            return list(batches.named(name).executions[offset : offset + limit])
    try:
        return executions.history(finding_id=reports.find(name).fingerprint, limit=limit, offset=offset)
    except NotFoundError:
        if executions.history(finding_id=name, limit=1):
            return executions.history(finding_id=name, limit=limit, offset=offset)
        raise
