"""Which of the fixes that wait are asked for: by kind, and by who may sign them.

Who may sign follows from the rules of the policy alone, and from who asked and who has signed: so a database can pick what a person may sign
without reading what they may not. It picks for showing; whether somebody may is decided when they do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from audit.actor import Actor
from audit.errors import InputError
from audit.finding_query import parse_query, spell_query
from audit.findings import Severity
from audit.lifecycle import FindingQuery
from audit.wording import nearest
from remediation.execution import PlaybookExecution
from remediation.rules import Rule

MINE = "mine"
_PLAYBOOK = "playbook"
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {"severity": "severity:critical", "account": "account:123456789012", "playbook": "playbook:AWS-PUBLIC-S3"}
)
_USAGE = f"{MINE}, {', '.join(_EXAMPLES.values())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody, and which of the policy's rules name them: `places` in `rules` (from 0), None for the section itself."""

    actor: Actor
    rules: tuple[Rule, ...]
    places: frozenset[int | None]
    now: datetime
    signs_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingQuery:
    """Which of what waits is wanted. What is empty does not restrict; playbooks go by their ids in any case.

    `is_mine` asks for what the reader may sign, and `signer` says who that is.
    """

    severities: frozenset[Severity] = frozenset()
    accounts: frozenset[str] = frozenset()
    playbooks: frozenset[str] = frozenset()
    is_mine: bool = False
    signer: Signer | None = None


ALL_PENDING = PendingQuery()


def parse_pending(words: Iterable[str]) -> PendingQuery:
    """Return what a person's words ask for; words of a kind widen, kinds narrow, as in a search for findings.

    Raises:
        InputError: a word is none of ours; names the nearest.
    """
    query, others = PendingQuery(), list[str]()
    for word in filter(None, map(str.strip, words)):
        kind, colon, value = word.partition(":")
        if word.casefold() == MINE:
            query = replace(query, is_mine=True)
        elif colon and kind.casefold() == _PLAYBOOK:
            query = replace(query, playbooks=query.playbooks | _ids(value))
        elif colon and kind.casefold() in _EXAMPLES:
            others.append(word)
        else:
            raise InputError(f"What waits is not searched by “{word[:40]}”.{_meant(kind)}")
    found = parse_query(others)
    return replace(query, severities=found.severities, accounts=found.accounts)


def spell_pending(query: PendingQuery) -> list[str]:
    """Return the words that ask for this query; `parse_pending` reads them back."""
    words = spell_query(FindingQuery(severities=query.severities, accounts=query.accounts))
    return [
        *([MINE] if query.is_mine else []),
        *words,
        *(f"{_PLAYBOOK}:{name}" for name in sorted(query.playbooks)),
    ]


def entry_place(execution: PlaybookExecution) -> tuple[datetime, str]:
    """Return the place in a list of what waits: those whose time ends first first."""
    return execution.expires_at, execution.execution_id


def _ids(value: str) -> frozenset[str]:
    found = frozenset(filter(None, map(str.strip, value.split(","))))
    if not found:
        raise InputError(f"{_PLAYBOOK}: needs a value right behind it, such as {_EXAMPLES[_PLAYBOOK]}.")
    return found


def _meant(kind: str) -> str:
    near = nearest(kind, [MINE, *_EXAMPLES])
    meant = f" Did you mean {_EXAMPLES.get(near, near)}?" if near else ""
    return f"{meant} There are {_USAGE}."
