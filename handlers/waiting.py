"""What waits, and what of it a person may sign: picked by the database, so that it is found wherever it lies and nothing else is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.actor import Actor
from audit.errors import RefusedError
from handlers.services import Services
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.pending_query import PendingQuery, Signer
from remediation.policy import Policy
from remediation.ports import Person
from remediation.refusals import refuse_late, refuse_outsider, refuse_same_person, refuse_twice, refuse_unfit
from remediation.rollback import refuse_signing_again

_PAGE = 50
_MOST_PAGES = 20  # of rollbacks that somebody has signed already, and others have not
Entry = PlaybookExecution | Members
"""What waits as one: a fix that stands alone, or a batch."""


@dataclass(frozen=True, slots=True)
class Signable:
    """What a person may sign, the most urgent first. `problem` says why that cannot be told."""

    entries: Sequence[Entry] = ()
    rollbacks: Sequence[PlaybookExecution] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody for whom a rule has something to sign, as they were looked up."""

    person: Person
    signer: Signer


def read_entries(services: Services, query: PendingQuery, *, limit: int, offset: int = 0) -> list[Entry]:
    """Return a page of what waits for a decision and matches, with a batch as one entry."""
    return _with_batches(services, services.finder.entries(query, limit=limit, offset=offset))


def find_reader(services: Services, actor: Actor, *, now: datetime) -> Reader | None:
    """Return a person as one who signs; None where no rule names them that decides about anything that waits.

    Of groups only those are asked about that such a rule names.

    Raises:
        RefusedError: Slack's directory does not say who they are.
    """
    policy = services.remediation.policy
    terms = {place: policy.terms_at(place) for place in services.finder.deciding_rules(policy.rules)}
    if not terms:
        return None
    groups = frozenset(group for each in terms.values() for group in each.approver_groups)
    look_up = services.remediation.directory.look_up
    person = services.people.get(actor, groups, lambda asked: look_up(actor, groups=asked), now=now)
    places = frozenset(place for place, each in terms.items() if each.names(person))
    if not places or not _is_fit(person):
        return None
    signer = Signer(
        actor=person.actor, rules=policy.rules, places=places, now=now, signs_own=policy.allow_self_approval
    )
    return Reader(person, signer)


def read_signable(services: Services, actor: Actor, *, most: int, now: datetime) -> Signable:
    """Return what a person may sign: at most so many entries, and so many rollbacks."""
    try:
        reader = find_reader(services, actor, now=now)
    except RefusedError as error:
        return Signable(problem=str(error))
    if reader is None:
        return Signable()
    policy, query = services.remediation.policy, PendingQuery(is_mine=True, signer=reader.signer)
    found = services.finder.entries(query, limit=most)
    entries = [each for each in found if may_sign(policy, each, reader.person, now=now)]
    return Signable(_with_batches(services, entries), read_rollbacks(services, reader, most=most, now=now))


def read_rollbacks(
    services: Services, reader: Reader, *, most: int, now: datetime
) -> list[PlaybookExecution]:
    """Return the first rollbacks that wait for a person's signature."""
    found: list[PlaybookExecution] = []
    last: PlaybookExecution | None = None
    for _ in range(_MOST_PAGES):
        page = services.finder.rollbacks(limit=_PAGE, after=last, signer=reader.signer)
        policy = services.remediation.policy
        found += [each for each in page if may_sign_rollback(policy, each, reader.person, now=now)]
        if len(found) >= most or len(page) < _PAGE:
            break
        last = page[-1]
    return found[:most]


def _with_batches(services: Services, found: Sequence[PlaybookExecution]) -> list[Entry]:
    """Return entries, each batch read whole in place of the item that stands for it; one that was decided meanwhile is none."""
    entries = list[Entry]()
    for each in found:
        if each.entry == each.execution_id:
            entries.append(each)
        elif (members := services.batches.members(each.batch_id)).waiting:
            entries.append(members)
    return entries


def _is_fit(person: Person) -> bool:
    try:
        refuse_unfit(person)
    except RefusedError:
        return False
    return True


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
