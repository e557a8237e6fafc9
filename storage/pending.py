"""What waits for a decision, picked by an index that holds all it is picked by: no row is read but those that are shown."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    distinct,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)

from audit.actor import Actor
from remediation.execution import Verdict
from remediation.pending_query import PendingQuery, Signer
from remediation.rules import Rule
from storage.columns import key_text, short_key
from storage.execution_rows import to_address, to_member
from storage.journal import EXECUTIONS
from storage.tables import IF_PENDING, DecisionRow, table_of

_DECISIONS: Final = table_of(DecisionRow)
_NO_RULE: Final = -1


def first_of_entries(query: PendingQuery, *, limit: int, offset: int) -> Select[Any]:
    """Return the query for one execution of each entry that matches, those whose time ends first first."""
    picked, other = EXECUTIONS.alias("picked"), EXECUTIONS.alias("other")
    earlier = or_(
        other.c.expires_at < picked.c.expires_at,
        and_(other.c.expires_at == picked.c.expires_at, other.c.execution_id < picked.c.execution_id),
    )
    same_entry = exists().where(other.c.entry == picked.c.entry, earlier, matching(other, query))
    ids = (
        select(picked.c.execution_id)
        .where(matching(picked, query), ~same_entry)
        .order_by(picked.c.expires_at, picked.c.execution_id)
        .limit(limit)
        .offset(offset)
    )
    in_order = EXECUTIONS.c.expires_at, EXECUTIONS.c.execution_id
    return select(EXECUTIONS).where(EXECUTIONS.c.execution_id.in_(ids)).order_by(*in_order)


def count(query: PendingQuery) -> Select[int, int]:
    """Return the query for how many executions match, and how many entries."""
    picked = EXECUTIONS.alias("picked")
    return select(func.count(), func.count(distinct(picked.c.entry))).where(matching(picked, query))


def deciding_rules(rules: Sequence[Rule], wanted: ColumnElement[bool]) -> Select[int]:
    """Return the query for the places of the rules that decide about any of what is wanted."""
    return select(_place_of(EXECUTIONS, rules)).where(wanted).distinct()


def to_places(found: Sequence[int]) -> frozenset[int | None]:
    """Return places as the policy knows them."""
    return frozenset(None if place == _NO_RULE else place for place in found)


def matching(table: FromClause, query: PendingQuery) -> ColumnElement[bool]:
    """Return the condition that a query stands for."""
    conditions: list[ColumnElement[bool]] = [is_pending(table)]
    if query.severities:
        conditions.append(table.c.severity.in_([each.value for each in query.severities]))
    if query.accounts:
        conditions.append(table.c.account_id.in_(sorted(map(short_key, query.accounts))))
    if query.playbooks:
        names = sorted(key_text(name).lower() for name in query.playbooks)
        conditions.append(func.lower(table.c.playbook_id).in_(names))
    if query.signer:
        conditions.append(_may_be_signed_by(table, query.signer))
    return and_(*conditions)


def is_pending(table: FromClause) -> ColumnElement[bool]:
    """Return the condition in the very words of the indexes for it."""
    name, _, value = IF_PENDING.partition(" = ")
    return table.c[name] == literal_column(value)


def decided_by(table: FromClause, signer: Signer) -> ColumnElement[bool]:
    """Return the condition for what a rule decides about that names a person."""
    places = [_NO_RULE if place is None else place for place in signer.places]
    return _place_of(table, signer.rules).in_(sorted(places))


def _may_be_signed_by(table: FromClause, signer: Signer) -> ColumnElement[bool]:
    """Return the condition for what a person may be shown to sign; see `handlers.waiting.may_sign`."""
    conditions = [
        decided_by(table, signer),
        table.c.expires_at > signer.now,
        ~_signed_by(table, signer.actor),
    ]
    if not signer.signs_own:
        conditions.append(~_asked_by(table, signer.actor))
    return and_(*conditions)


def _asked_by(table: FromClause, person: Actor) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = [false()]
    if member := to_member(person):
        ways.append(table.c.requester == member)
    if address := to_address(person):
        ways.append(table.c.requester_email == address)
    return or_(*ways)


def _signed_by(table: FromClause, person: Actor) -> ColumnElement[bool]:
    """Return the condition for what a person has approved as it stands."""
    by = _DECISIONS.c.actor
    ways = [
        and_(by["slack_id"].as_string() == person.slack_id, by["workspace"].as_string() == person.workspace)
    ]
    if address := person.email.strip().lower():
        ways.append(func.lower(func.trim(by["email"].as_string())) == address)
    return exists().where(
        _DECISIONS.c.execution_id == table.c.execution_id,
        _DECISIONS.c.revision == table.c.revision,
        _DECISIONS.c.verdict == Verdict.APPROVE.value,
        or_(*ways),
    )


def _place_of(table: FromClause, rules: Sequence[Rule]) -> ColumnElement[int]:
    """Return the place of the rule that decides about a row; the first that fits does, as in `remediation.rules`."""
    if not rules:
        return literal(_NO_RULE, Integer)
    fitting = [(_fits(table, rule), literal(place, Integer)) for place, rule in enumerate(rules)]
    return case(*fitting, else_=literal(_NO_RULE, Integer))


def _fits(table: FromClause, rule: Rule) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if rule.severities:
        conditions.append(table.c.severity.in_(sorted(each.value for each in rule.severities)))
    if rule.accounts:
        conditions.append(table.c.account_id.in_(sorted(map(short_key, rule.accounts))))
    if rule.playbooks:
        conditions.append(table.c.playbook_id.in_(sorted(map(key_text, rule.playbooks))))
    return and_(*conditions)
