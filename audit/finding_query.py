"""The words people search findings with, such as `severity:critical account:123456789012 overdue "public bucket"`.

Slack and the command line read them here, so that both understand the same.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from audit.errors import InputError
from audit.findings import Severity
from audit.lifecycle import OPEN_STATES, FindingQuery, LifecycleState
from audit.wording import nearest

USAGE = (
    "[severity:LEVEL] [account:ID] [region:NAME] [check:ID] [status:new|open|fixed|regressed|excepted|all] "
    "[overdue] [TEXT…]"
)
OVERDUE = "overdue"
ALL = "all"
LONGEST_TEXT = 200
_SURELY_MEANT = 0.85
_STATES: Mapping[str, frozenset[LifecycleState]] = MappingProxyType(
    {
        **{state.value: frozenset({state}) for state in LifecycleState},
        # Who asks for what is open means whatever waits, however it came to be open.
        LifecycleState.OPEN.value: OPEN_STATES,
        ALL: frozenset(LifecycleState),
    }
)


def parse_query(words: Iterable[str]) -> FindingQuery:
    """Return what a person's words ask for: words of a kind widen, kinds narrow, the rest is text to look for.

    Raises:
        InputError: a word is none of ours and was hardly meant as text; names the nearest.
    """
    heard = _Heard()
    for word in filter(None, map(str.strip, words)):
        heard.take(word)
    return heard.to_query()


def spell_query(query: FindingQuery) -> list[str]:
    """Return the words that ask for this query; `parse_query` reads them back."""
    words = [
        f"severity:{severity.lower()}" for severity in sorted(query.severities, key=lambda each: each.rank)
    ]
    for kind, values in (("account", query.accounts), ("region", query.regions), ("check", query.checks)):
        words += [f"{kind}:{value}" for value in sorted(values)]
    words += [f"status:{name}" for name in _names_of(query.states)]
    return [*words, *([OVERDUE] if query.overdue else []), *([f"text:{query.text}"] if query.text else [])]


def _names_of(states: frozenset[LifecycleState]) -> list[str]:
    if states == OPEN_STATES:
        return []
    whole = [name for name, meant in _STATES.items() if meant == states]
    return whole[:1] or [state.value for state in LifecycleState if state in states]


@dataclass(slots=True)
class _Heard:
    """What was said so far, by kind."""

    query: FindingQuery = field(default_factory=FindingQuery)
    states: frozenset[LifecycleState] = frozenset()
    texts: tuple[str, ...] = ()

    def take(self, word: str) -> None:
        """Add a word."""
        name, colon, value = word.partition(":")
        kind = name.casefold()
        if colon and kind in _KINDS:
            if not value.strip():
                raise InputError(f"{kind}: needs a value right behind it, such as {_EXAMPLES[kind]}.")
            _KINDS[kind](self, value.strip())
        elif word.casefold() == OVERDUE:
            self.query = replace(self.query, overdue=True)
        else:
            _refuse_typo(word, kind if colon else "")
            self.add_text(word)

    def to_query(self) -> FindingQuery:
        """Return all of it."""
        text = " ".join(self.texts)
        if len(text) > LONGEST_TEXT:
            raise InputError(f"The text to look for is too long: at most {LONGEST_TEXT} characters.")
        return replace(self.query, states=self.states or OPEN_STATES, text=text)

    def add_text(self, value: str) -> None:
        """Look for this text, too."""
        self.texts = (*self.texts, value)

    def add_severity(self, value: str) -> None:
        """Want findings of these severities."""
        wanted = {_severity(part) for part in _parts(value)}
        self.query = replace(self.query, severities=self.query.severities | wanted)

    def add_account(self, value: str) -> None:
        """Want findings of these accounts, each as the scanner writes it."""
        self.query = replace(self.query, accounts=self.query.accounts | set(_parts(value)))

    def add_region(self, value: str) -> None:
        """Want findings of these regions."""
        self.query = replace(self.query, regions=self.query.regions | set(_parts(value)))

    def add_check(self, value: str) -> None:
        """Want findings of these checks."""
        self.query = replace(self.query, checks=self.query.checks | set(_parts(value)))

    def add_status(self, value: str) -> None:
        """Want findings in these states."""
        for part in _parts(value):
            if part.casefold() not in _STATES:
                raise InputError(f"There is no status “{part[:40]}”.{_meant(part, _STATES)}")
            self.states |= _STATES[part.casefold()]


_KINDS: Mapping[str, Callable[[_Heard, str], None]] = MappingProxyType(
    {
        "severity": _Heard.add_severity,
        "account": _Heard.add_account,
        "region": _Heard.add_region,
        "check": _Heard.add_check,
        "status": _Heard.add_status,
        "text": _Heard.add_text,
    }
)
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "severity": "severity:critical",
        "account": "account:123456789012",
        "region": "region:eu-west-1",
        "check": "check:s3_bucket_public_access",
        "status": "status:new",
        "text": 'text:"public bucket"',
    }
)


def _parts(value: str) -> list[str]:
    return [part for part in map(str.strip, value.split(",")) if part]


def _severity(word: str) -> Severity:
    try:
        return Severity.parse(word)
    except InputError:
        raise InputError(
            f"There is no severity “{word[:40]}”.{_meant(word, map(str.lower, Severity))}"
        ) from None


def _refuse_typo(word: str, kind: str) -> None:
    """Refuse what nearly is one of our words; a resource's name may have colons and is a text to look for.

    Raises:
        InputError: names the word that was meant.
    """
    if kind and (near := nearest(kind, _KINDS)):
        raise InputError(f"There is no “{kind[:40]}:” to search by. Did you mean {near}:? {_NO_TYPO}")
    if difflib.get_close_matches(word.casefold()[:LONGEST_TEXT], [OVERDUE], cutoff=_SURELY_MEANT):
        raise InputError(f"Did you mean {OVERDUE}? {_NO_TYPO}")


_NO_TYPO = "To look for it as a text, write text: in front of it."


def _meant(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = nearest(word, names)
    return f" Did you mean {near}?" if near else f" There are {', '.join(names)}."
