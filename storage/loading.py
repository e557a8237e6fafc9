"""Loading a report: its findings become rows while they stream by, and a batch is written while the next one is read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from audit.errors import InputError
from audit.ingest import Item, Rejected
from audit.report import Tally
from storage.bulk import insert_many
from storage.columns import column_text
from storage.database import Database
from storage.finding_texts import FindingTextsRow, SharedTexts
from storage.report_rows import to_finding_columns
from storage.scopes import Scopes
from storage.tables import FindingRow

MOST_REJECTED_LINES = 100
_COUNTS = ("critical", "high", "medium", "low", "info", "passed", "manual", "muted")
_Columns = Mapping[str, object]


@dataclass(slots=True)
class Contents:
    """What the items came to, gathered while they stream by."""

    report_key: int
    texts: SharedTexts
    tally: Tally = field(default_factory=Tally)
    scopes: Scopes = field(default_factory=Scopes)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def accept(self, items: Iterable[Item]) -> Iterator[dict[str, object]]:
        """Yield the columns of each finding that can be used."""
        for position, item in enumerate(items, start=1):
            if isinstance(item, Rejected):
                self._reject(item)
                continue
            try:
                number = self.texts.number_of(item)
                columns = to_finding_columns(self.report_key, position, item, texts_number=number)
            except InputError as error:
                self._reject(Rejected(position, str(error)))
                continue
            self.tally.add(item)
            self.scopes.add(item)
            yield columns

    def _reject(self, item: Rejected) -> None:
        self.rejected += 1
        if self.rejected <= MOST_REJECTED_LINES:
            self.reasons.append(column_text(str(item)))

    def lines(self) -> list[str]:
        """Return why findings were left out, a line each, and how many more there are."""
        more = self.rejected - len(self.reasons)
        return [*self.reasons, f"and {more} more"] if more else self.reasons

    def counts(self) -> dict[str, int]:
        """Return what the trail records."""
        summary = self.tally.summary()
        named = {name: summary[name] for name in _COUNTS}  # type: ignore[literal-required]
        return {"findings": self.tally.total, "rejected": self.rejected, **named}


class Writer:
    """Writes a batch while the next one is being read: SQLite and the disk work without Python's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="report-writer")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if kind is None:
            self._wait()

    def write(self, findings: Sequence[_Columns], texts: Sequence[_Columns]) -> None:
        """Hand over a batch, once the one before is committed. Raises what went wrong with that one."""
        self._wait()
        self._last = self._thread.submit(self._write, findings, texts)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _write(self, findings: Sequence[_Columns], texts: Sequence[_Columns]) -> None:
        with self._database.loading() as session:
            if texts:
                insert_many(session.connection(), FindingTextsRow, texts)
            insert_many(session.connection(), FindingRow, findings)
