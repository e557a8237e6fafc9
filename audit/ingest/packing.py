"""Findings made ready to be stored while they stream by: in batches of plain values, and what they come to in all.

Reading a file and storing what it says are two halves of one work. The first half needs neither a database nor a network; it may
run in a process of its own (`frames.py`), and what it hands over has to be plain and small.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Final

from audit.errors import InputError
from audit.finding_fields import clean, key_text
from audit.findings import Finding, short_name
from audit.ingest.model import Item, Rejected
from audit.ingest.scopes import Scopes
from audit.ingest.shared_texts import SharedTexts
from audit.report import FrameworkDict, RecommendationDict, SummaryDict, Tally

FIELDS: Final = (
    "position",
    "finding_id",
    "fingerprint",
    "severity_rank",
    "check_id",
    "status",
    "muted",
    "title",
    "resource",
    "account_id",
    "region",
    "body",
    "texts_number",
)
"""What is told of each finding. `body` is its record as JSON; where `texts_number` says which texts it shares, without these."""

BODY: Final = FIELDS.index("body")
MOST_ROWS: Final = 500
MOST_BYTES: Final = 4 * 2**20
MOST_REJECTED_LINES: Final = 100
_COUNTS: Final = ("critical", "high", "medium", "low", "info", "passed", "manual", "muted")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some findings in file order: the values of `FIELDS` of each, one after the other, and the texts that they are the first to share."""

    values: list[object]
    texts: list[tuple[int, bytes]]

    @property
    def rows(self) -> int:
        """Return how many findings these are."""
        return len(self.values) // len(FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What all items of a file come to.

    `lines` says, a line each, which findings were left out and why; `scopes` names each account's regions and checks.
    """

    total: int
    rejected: int
    lines: list[str]
    summary: SummaryDict
    compliance: dict[str, FrameworkDict]
    recommendations: list[RecommendationDict]
    scopes: list[tuple[str, list[str], list[str]]]

    def counts(self) -> dict[str, int]:
        """Return what the trail records."""
        named = {name: self.summary[name] for name in _COUNTS}
        return {"findings": self.total, "rejected": self.rejected, **named}


Packed = Generator[Batch, None, Sum]


def pack(items: Iterable[Item]) -> Packed:
    """Yield findings in batches, and return what they came to. What is taken from the items raises as it did there."""
    packing = _Packing()
    for position, item in enumerate(items, start=1):
        packing.add(position, item)
        if packing.is_full:
            yield packing.take()
    if packing.values:
        yield packing.take()
    return packing.sum()


@dataclass(slots=True)
class _Packing:
    """What has come of the items so far, and the batch that is being filled."""

    values: list[object] = field(default_factory=list)
    _bytes: int = 0
    _texts: SharedTexts = field(default_factory=SharedTexts)
    _tally: Tally = field(default_factory=Tally)
    _scopes: Scopes = field(default_factory=Scopes)
    _rejected: int = 0
    _reasons: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return self._bytes >= MOST_BYTES or len(self.values) == MOST_ROWS * len(FIELDS)

    def add(self, position: int, item: Item) -> None:
        if isinstance(item, Rejected):
            self._reject(item)
            return
        try:
            number = self._texts.number_of(item)
            body = _to_body(item, fingerprint := item.fingerprint, is_bare=number is not None)
        except InputError as error:
            self._reject(Rejected(position, str(error)))
            return
        self.values += (
            position,
            key_text(item.id),
            fingerprint,
            item.severity.rank,
            key_text(item.check_id),
            item.status.value,
            item.muted,
            clean(item.title),
            clean(item.resource),
            clean(item.account_id),
            clean(item.region),
            body,
            number,
        )
        self._bytes += len(body)
        self._tally.add(item)
        self._scopes.add(item)

    def take(self) -> Batch:
        batch = Batch(self.values, self._texts.take_new())
        self.values, self._bytes = [], 0
        return batch

    def sum(self) -> Sum:
        more = self._rejected - len(self._reasons)
        return Sum(
            total=self._tally.total,
            rejected=self._rejected,
            lines=[*self._reasons, f"and {more} more"] if more else self._reasons,
            summary=self._tally.summary(),
            compliance=self._tally.compliance(),
            recommendations=self._tally.recommendations(),
            scopes=list(self._scopes.rows()),
        )

    def _reject(self, item: Rejected) -> None:
        self._rejected += 1
        if self._rejected <= MOST_REJECTED_LINES:
            self._reasons.append(clean(str(item)))


def _to_body(finding: Finding, fingerprint: str, *, is_bare: bool) -> bytes:
    """Return what is stored of a finding.

    Raises:
        InputError: it could not be read back: no id or title, or text that is not Unicode.
    """
    if not finding.id.strip() or not finding.title.strip():
        raise InputError("a finding needs an id and a title")
    return finding.to_json(short_name(fingerprint), is_bare=is_bare)
