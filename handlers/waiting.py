"""What waits, read page by page until enough is found: the items of a batch are one entry, and what was not read is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.actor import Actor
from audit.errors import RefusedError
from handlers.services import Services
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.policy import Policy
from remediation.ports import Person
from remediation.refusals import refuse_late, refuse_outsider, refuse_same_person, refuse_twice
from remediation.rollback import refuse_signing_again

_PAGE = 50
_MOST_PAGES = 20  # a home is drawn often, and may not read a thousand executions for one person
Choose = Callable[[Sequence[PlaybookExecution]], Sequence[PlaybookExecution]]


class _Read(Protocol):
    def __call__(
        self, *, limit: int, after: PlaybookExecution | None
    ) -> list[PlaybookExecution]: ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: fixes that stand alone, and batches. `is_cut`: there may be more, which was not read."""

    fixes: Sequence[PlaybookExecution] = ()
    batches: Sequence[Members] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Signable:
    """What a person may sign. `problem` says why that cannot be told."""

    fixes: Waiting = Waiting()
    rollbacks: Waiting = Waiting()
    problem: str = ""


def read_waiting(services: Services, *, most: int, choose: Choose = lambda page: page) -> Waiting:
    """Return the first fixes that wait for a decision and are chosen, with a batch as one of them."""
    found, is_cut = _gather(services.finder.pending, choose, name_of=_entry_of, most=most)
    named = dict.fromkeys(each.batch_id for each in found if _is_in_batch(each))
    batches = [services.batches.members(name) for name in named]
    return Waiting(
        fixes=[each for each in found if not _is_in_batch(each)],
        batches=[members for members in batches if members.waiting],
        is_cut=is_cut,
    )


def read_signable(services: Services, actor: Actor, *, most: int, now: datetime) -> Signable:
    """Return what a person may sign: at most so many fixes, and so many rollbacks."""
    policy = services.remediation.policy

    def who(page: Sequence[PlaybookExecution]) -> Person:
        groups = frozenset(group for each in page for group in policy.terms_of(each).approver_groups)
        look_up = services.remediation.directory.look_up
        return services.people.get(actor, groups, lambda asked: look_up(actor, groups=asked), now=now)

    def fixes(page: Sequence[PlaybookExecution]) -> Sequence[PlaybookExecution]:
        person = who(page)
        return [each for each in page if may_sign(policy, each, person, now=now)]

    def rollbacks(page: Sequence[PlaybookExecution]) -> Sequence[PlaybookExecution]:
        person = who(page)
        return [each for each in page if may_sign_rollback(policy, each, person, now=now)]

    try:
        found, is_cut = _gather(
            services.finder.rollbacks, rollbacks, name_of=lambda each: each.execution_id, most=most
        )
        return Signable(read_waiting(services, most=most, choose=fixes), Waiting(found, (), is_cut))
    except RefusedError as error:
        return Signable(problem=str(error))


def _gather(
    read: _Read, choose: Choose, *, name_of: Callable[[PlaybookExecution], str], most: int
) -> tuple[list[PlaybookExecution], bool]:
    """Return the first of each entry that is chosen, at most so many, and whether there may be more."""
    found: dict[str, PlaybookExecution] = {}
    last: PlaybookExecution | None = None
    for _ in range(_MOST_PAGES):
        page = read(limit=_PAGE, after=last)
        if not page:
            return list(found.values()), False
        for each in choose(page):
            if len(found) == most and name_of(each) not in found:
                return list(found.values()), True
            found.setdefault(name_of(each), each)
        last = page[-1]
    return list(found.values()), True


def _entry_of(execution: PlaybookExecution) -> str:
    return execution.batch_id if _is_in_batch(execution) else execution.execution_id


def _is_in_batch(execution: PlaybookExecution) -> bool:
    """Tell whether an execution that waits is shown with others, on the card of their batch."""
    return bool(execution.batch_id) and execution.revision == 1


def may_sign(policy: Policy, execution: PlaybookExecution, person: Person, *, now: datetime) -> bool:
    """Tell whether it is worth showing somebody an execution to sign; whether they may is decided when they do."""
    try:
        refuse_late(execution, revision=None, now=now)
        refuse_same_person(policy, execution.requester, person.actor)
        refuse_twice(execution, person.actor)
        refuse_outsider(policy.terms_of(execution), person)
    except RefusedError:
        return False
    return True


def may_sign_rollback(policy: Policy, execution: PlaybookExecution, person: Person, *, now: datetime) -> bool:
    """Tell whether it is worth showing somebody a rollback to sign; whether they may is decided when they do."""
    if execution.rollback is None or now >= execution.rollback.expires_at:
        return False
    try:
        refuse_signing_again(execution, person.actor)
        refuse_outsider(policy.terms_of(execution), person)
    except RefusedError:
        return False
    return True
