"""Writing a report's findings: a batch is written while the next one is read."""

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Final, Self

from audit.ingest.packing import FIELDS, Batch
from storage.bulk import insert_many
from storage.database import Database
from storage.finding_texts import FindingTextsRow
from storage.tables import FindingRow

_SETTLED_AFTER: Final = 2000
"""So many rows stay below what makes a log too long (`wal_autocheckpoint`); each time means waiting for the disk twice."""


class Writer:
    """Writes a batch while the next one is being read: SQLite and the disk work without Python's lock."""

    def __init__(self, database: Database, report_key: int) -> None:
        self._database = database
        self._report_key = report_key
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="report-writer")
        self._last: Future[None] | None = None
        self._unsettled = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if kind is None:
            self._wait()

    def write(self, batch: Batch) -> None:
        """Hand over a batch, once the one before is committed. Raises what went wrong with that one."""
        self._wait()
        self._last = self._thread.submit(self._write, batch)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _write(self, batch: Batch) -> None:
        key = self._report_key
        with self._database.loading() as session:
            connection = session.connection()
            if batch.texts:
                texts = list(chain.from_iterable(batch.texts))
                insert_many(connection, FindingTextsRow, ("number", "body"), texts, report_key=key)
            if batch.values:
                insert_many(connection, FindingRow, FIELDS, batch.values, report_key=key)
        self._unsettled += batch.rows
        if self._unsettled >= _SETTLED_AFTER:
            self._database.settle()
            self._unsettled = 0
