"""Looking for executions the way people do: by the beginning of an id, by what waits, by who asked."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from audit.actor import Actor
from audit.errors import NotFoundError
from audit.ports import ReportStore
from remediation.batches import Batches, Members
from remediation.execution import PlaybookExecution
from remediation.ports import ExecutionStore


class ExecutionFinder(Protocol):
    """Reads executions; changes none."""

    def named(self, name: str) -> PlaybookExecution:
        """Return the one execution whose id is the name, or begins with it, in any case.

        Raises:
            NotFoundError: none, or more than one, goes by that name.
        """

    def pending(self, *, limit: int = 10, after: PlaybookExecution | None = None) -> list[PlaybookExecution]:
        """Return executions that wait for a decision, those whose time ends first first; `after` is the last of the page before."""

    def count_pending(self) -> int:
        """Return how many executions wait for a decision."""

    def rollbacks(
        self, *, limit: int = 10, after: PlaybookExecution | None = None
    ) -> list[PlaybookExecution]:
        """Return executions whose rollback waits for signatures, those whose time ends first first; `after` as for `pending`."""

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
) -> list[PlaybookExecution]:
    """Return the executions of a playbook or for a finding, newest first; those of a batch in its order.

    A finding whose report is gone is known by the scanner's id: what was done about it outlives the report.

    Raises:
        NotFoundError: neither a playbook nor a batch nor a finding nor an execution goes by that name.
    """
    folded = {book.casefold(): book for book in playbooks}
    if book := folded.get(name.casefold()):
        return executions.history(playbook_id=book, limit=limit)
    if _is_of_batch(name):
        with suppress(NotFoundError):
            return list(batches.named(name).executions[:limit])
    try:
        return executions.history(finding_id=reports.find(name).fingerprint, limit=limit)
    except NotFoundError:
        if found := executions.history(finding_id=name, limit=limit):
            return found
        raise
