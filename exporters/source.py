"""Where an exporter reads from: a report's header and a stream of its findings that can be opened again.

Records come as the store streams them: worst first, then grouped by check. A store is trusted to hold checked
findings; a plain dictionary from a caller is checked here, one finding at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, Self, cast

from audit.errors import InputError
from audit.findings import FINDING_FIELDS, Finding, FindingDict, Severity
from audit.report import ReportHeader, Tally
from exporters.clock import utc_now
from exporters.header import read_header
from exporters.outcome import ByteSink, Written

Records = Callable[[], Iterator[FindingDict]]
_FIELDS = frozenset(FINDING_FIELDS)


@dataclass(frozen=True, slots=True)
class ReportSource:
    """A report to export.

    `supply` opens the findings from the first one, each time anew. `earlier` are the headers of reports about the same thing,
    oldest first, for a trend.
    """

    header: ReportHeader
    supply: Records
    earlier: tuple[ReportHeader, ...] = ()

    def records(self) -> Iterator[FindingDict]:
        """Stream the findings from the first."""
        return self.supply()

    @classmethod
    def from_data(
        cls, report_data: Mapping[str, object], *, now: datetime | None = None, keep_order: bool = False
    ) -> Self:
        """Read the specification's report dictionary, which is already in memory.

        A missing summary, compliance matrix or list of recommendations is worked out from the findings. Malformed
        findings are left out and named in `header.rejected`. `now` stands in where the data states no time;
        `keep_order` leaves the findings in the caller's order.

        Raises:
            InputError: it is no report at all (not a mapping, or `findings` is not a list).
        """
        if not isinstance(report_data, Mapping):
            raise InputError("a report must be a dictionary with findings")
        tally, rejected, records = Tally(), list[str](), list[FindingDict]()
        for finding, record in _read(report_data.get("findings"), rejected.append):
            tally.add(finding)
            records.append(record)
        if not keep_order:
            records.sort(key=_worst_first)
        header = read_header(report_data, tally=tally, rejected=rejected, now=now or utc_now())
        return cls(header, partial(iter, records))


def checked(findings: object, reject: Callable[[str], None]) -> Iterator[FindingDict]:
    """Stream a caller's findings, normalised; what is malformed goes to `reject` as one line with its position.

    Raises:
        InputError: not a list of findings.
    """
    return (record for _, record in _read(findings, reject))


def _read(findings: object, reject: Callable[[str], None]) -> Iterator[tuple[Finding, FindingDict]]:
    for position, record in enumerate(_items(findings), start=1):
        try:
            finding = Finding.from_dict(record)
        except InputError as error:
            reject(f"finding {position}: {error}")
        else:
            yield finding, _record(finding, cast("Mapping[str, object]", record))


def _items(findings: object) -> Iterable[object]:
    if findings is None:
        return ()
    if isinstance(findings, (str, bytes, Mapping)) or not isinstance(findings, Iterable):
        raise InputError("findings must be a list")
    return findings


def _record(finding: Finding, record: Mapping[str, object]) -> FindingDict:
    """Return the checked fields, and the caller's own ones (an assignee, a note) as they came."""
    own = {name: value for name, value in record.items() if name not in _FIELDS}
    return cast("FindingDict", {**finding.to_dict(), **own})


def _worst_first(record: FindingDict) -> tuple[int, str]:
    return (Severity(record["severity"]).rank, record.get("check_id") or record["title"])


def worst_first(records: Iterable[FindingDict]) -> list[FindingDict]:
    """Sort findings that fit into memory the way a store streams them."""
    return sorted(records, key=_worst_first)


class Write(Protocol):
    """Writes a report to a stream, holding none of it."""

    def __call__(self, source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
        """Write from the first byte to the last; `now` is the time of the export, aware."""
