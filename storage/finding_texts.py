"""What many findings say alike, stored once in a report: what a check is about, what to do, which controls it is for.

That is nine tenths of what a scanner writes about a finding, and was nine tenths of the work of storing one
(`audit/ingest/shared_texts.py` finds them). A finding's own `body` has
these fields empty and its row says which texts belong there. A finding whose row names none has all in its body.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Table
from sqlmodel import Field, Session, col, select

from audit.findings import Finding, FindingDict
from audit.ingest.shared_texts import MOST_TEXTS
from storage.tables import FindingRow, Row

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
