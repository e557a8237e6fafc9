"""Fetching findings from a service page by page, so that an interrupted fetch goes on where it stopped."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import orjson

from audit.actor import Actor
from audit.errors import InputError
from audit.findings import Severity
from audit.ports import Ingested

LONGEST_SINCE_DAYS: Final = 3650
_SEVERITY_LABELS: Final = {Severity.INFO: "INFORMATIONAL"}
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What to fetch from Security Hub.

    Args:
        region: where to ask; empty leaves it to the configuration.
        account_id: whose Security Hub; empty is the one that our own credentials belong to.
        severities: only these; none means all.
        with_archived: also what Security Hub has archived; such findings come in muted.
        since_days: only what changed in so many days; 0 means all. Such a report says nothing about what it leaves out.
    """

    region: str = ""
    account_id: str = ""
    severities: tuple[Severity, ...] = ()
    with_archived: bool = False
    since_days: int = 0

    def check(self) -> None:
        """Refuse what cannot be asked for.

        Raises:
            InputError: the account is not twelve digits, or the days are out of range.
        """
        named = self.account_id
        if named and (len(named) != _DIGITS or not (named.isascii() and named.isdecimal())):
            raise InputError(f"“{named[:40]}” is not an AWS account id of {_DIGITS} digits")
        if not 0 <= self.since_days <= LONGEST_SINCE_DAYS:
            raise InputError(f"since {self.since_days} days: 0 to {LONGEST_SINCE_DAYS} is possible")

    @property
    def key(self) -> str:
        """Return what tells one request from another, and is the same for the same one."""
        asked = [self.region, self.account_id, sorted(self.severities), self.with_archived, self.since_days]
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()[:32]

    def labels(self) -> list[str]:
        """Return the severities as Security Hub calls them."""
        return [_SEVERITY_LABELS.get(severity, severity.value) for severity in self.severities]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A fetch under way: what was asked and when, how many pages are here, and where the next one begins.

    `cursor` is empty before the first page and after the last; then `is_complete` is set.
    """

    key: str
    began_at: datetime
    filters: Mapping[str, object] = field(default_factory=dict)
    pages: int = 0
    cursor: str = ""
    is_complete: bool = False


class Pulls(Protocol):
    """Where pages wait until all of them are here."""

    def open(self, pull: Pull, *, not_before: datetime) -> Pull:
        """Return the fetch of this key that is under way; if there is none, or it began before, begin this one."""

    def add(self, pull: Pull, findings: Sequence[object], *, cursor: str) -> Pull:
        """Keep a page, together with where the next one begins: both, or neither. No cursor means that it was the last.

        Raises:
            StateError: somebody else has added one meanwhile.
        """

    def pages(self, pull: Pull) -> Iterator[bytes]:
        """Yield each page of a complete fetch as JSON, in order.

        Raises:
            StateError: somebody else has read it meanwhile and closed it, or begun anew: what came so far is not all of it.
        """

    def close(self, pull: Pull) -> None:
        """Forget a fetch and its pages; one that somebody else has begun since stays."""


Say = Callable[[int], None]
"""Is told how many pages are here."""


def _say_nothing(_pages: int) -> None:
    """Is told of pages where nobody waits for them."""


class PullReports(Protocol):
    """Fetches findings into a report."""

    def __call__(
        self, request: PullRequest, *, actor: Actor, now: datetime, say: Say = _say_nothing
    ) -> Ingested:
        """Fetch what is asked for and store it as one report; `say` is told of each page, and may stop it by raising.

        Raises:
            NothingFoundError: there is nothing of the kind; nothing is stored as a report.
            CountersignError: it cannot be fetched; nothing is stored as a report, the pages wait for the next attempt.
        """
