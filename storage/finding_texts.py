"""What many findings say alike, stored once in a report: what a check is about, what to do, which controls it is for.

That is nine tenths of what a scanner writes about a finding, and was nine tenths of the work of storing one. A finding's own `body` has
these fields empty and its row says which texts belong there. A finding whose row names none has all in its body.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict

import orjson
from sqlalchemy import Table
from sqlmodel import Field, Session, col, select

from audit.finding_fields import read_compliance
from audit.findings import Finding, FindingDict
from storage.tables import FindingRow, Row

MOST_TEXTS: Final = 2000
"""A report whose findings hardly ever say the same gains nothing, and whoever reads it holds that many at a time."""

_MOST_CHARACTERS: Final = 4_000_000
_WORTH_SHARING: Final = 100
_Stored = Sequence[Any]
_FINDINGS: Final[Table] = FindingRow.__table__  # type: ignore[attr-defined]

STORED: Final = tuple(_FINDINGS.c[name] for name in ("report_key", "texts_number", "body"))
"""What to select of a finding for `read_findings` and `TextReader`."""


class FindingTextsRow(Row, table=True):
    """Texts that findings of a report share: `body` is the part of a finding's dictionary that they are, as JSON bytes."""

    __tablename__ = "finding_texts"

    report_key: int = Field(primary_key=True, foreign_key="reports.report_key")
    number: int = Field(primary_key=True)
    body: bytes


class _Texts(TypedDict, total=False):
    description: str
    remediation: str
    compliance: Mapping[str, tuple[str, ...]]


class SharedTexts:
    """Numbers the texts of a report while its findings stream by."""

    def __init__(self, report_key: int) -> None:
        self._report_key = report_key
        # The texts are kept with their number, so that no other controls get the identity of these.
        self._known: dict[tuple[str, str, int], tuple[int, _Texts]] = {}
        self._characters = 0
        self._new: list[dict[str, object]] = []

    def number_of(self, finding: Finding) -> int | None:
        """Return the number of a finding's texts; None where they have to stay with it."""
        controls = read_compliance(finding.compliance)
        key = finding.description, finding.remediation, id(controls) if controls else 0
        if known := self._known.get(key):
            return known[0]
        texts = _Texts(description=finding.description, remediation=finding.remediation, compliance=controls)
        return self._add(key, texts)

    def take_new(self) -> list[dict[str, object]]:
        """Return the rows of the texts that came up since the last time."""
        new, self._new = self._new, []
        return new

    def _add(self, key: tuple[str, str, int], texts: _Texts) -> int | None:
        if len(self._known) == MOST_TEXTS or self._characters > _MOST_CHARACTERS:
            return None
        try:
            body = orjson.dumps({name: text for name, text in texts.items() if text})
        except orjson.JSONEncodeError:  # half of a surrogate pair: the finding itself is about to be refused
            return None
        if len(body) < _WORTH_SHARING:
            return None
        number = len(self._known) + 1
        self._known[key] = number, texts
        self._characters += len(body)
        self._new.append({"report_key": self._report_key, "number": number, "body": body})
        return number


class TextReader:
    """Puts findings together again. Texts that were read once stay known: hold one for as long as a report is read."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], FindingDict] = {}

    def records(self, session: Session, stored: Sequence[_Stored]) -> list[FindingDict]:
        """Return the dictionaries of findings, each selected as `STORED`."""
        self._learn(session, stored)
        return [self._record(*each) for each in stored]

    def _record(self, report_key: int, number: int | None, body: bytes) -> FindingDict:
        record: FindingDict = orjson.loads(body)
        if number is not None:
            record.update(self._known[report_key, number])
        return record

    def _learn(self, session: Session, stored: Sequence[_Stored]) -> None:
        missing = self._missing(stored)
        if missing and len(self._known) > MOST_TEXTS:
            self._known.clear()
            missing = self._missing(stored)
        for report_key, numbers in missing.items():
            self._known.update(_read(session, report_key, numbers))

    def _missing(self, stored: Iterable[_Stored]) -> dict[int, set[int]]:
        missing: dict[int, set[int]] = {}
        for report_key, number, _ in stored:
            if number is not None and (report_key, number) not in self._known:
                missing.setdefault(report_key, set()).add(number)
        return missing


def _read(session: Session, report_key: int, numbers: set[int]) -> dict[tuple[int, int], FindingDict]:
    wanted = select(FindingTextsRow).where(
        FindingTextsRow.report_key == report_key, col(FindingTextsRow.number).in_(numbers)
    )
    return {(row.report_key, row.number): orjson.loads(row.body) for row in session.exec(wanted)}


def read_findings(session: Session, stored: Sequence[_Stored]) -> list[Finding]:
    """Return a few findings, each selected as `STORED`, in the same order."""
    return [Finding.from_dict(record) for record in TextReader().records(session, stored)]
