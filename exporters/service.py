"""The use case behind `/report export`, `countersign report export` and every schedule.

A report becomes a file, the trail says so, the file is handed over. In that order: what the trail cannot record is not handed out.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from audit.actor import Actor
from audit.ports import LATEST, ReportStore, Trail
from audit.report import ReportHeader
from audit.trail import TrailEvent
from exporters.formats import ExportFormat, export_formats, format_named
from exporters.outcome import ByteSink, Written
from exporters.ports import Delivery, ExportedFile
from exporters.source import ReportSource
from exporters.text import encodable

_SPOOL_BYTES = 1 << 20
_LONGEST_NAME = 80
_REPORTS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Who wants which report in which format, and where it goes, in words for the trail (`#security`, a path)."""

    format: str
    actor: Actor
    report_id: str = LATEST
    destination: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReceipt:
    """What was handed over. `rejected` findings could not be written; `reasons` names the first hundred."""

    report_id: str
    name: str
    size: int
    sha256: str
    findings: int
    rejected: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportService:
    """Exports stored reports. Holds nothing of a report: from the store to a spooled file to the delivery."""

    reports: ReportStore
    trail: Trail
    clock: Callable[[], datetime]
    formats: Mapping[str, ExportFormat] = field(default_factory=export_formats)

    def export(self, request: ExportRequest, delivery: Delivery) -> ExportReceipt:
        """Render a report, record that, hand it over.

        Raises:
            InputError: no such format, or no such report.
            TrailError: the trail cannot be written; nothing was handed over.
            CountersignError: the delivery failed; the trail says that the file was made.
        """
        kind, now = format_named(request.format, self.formats), self.clock()
        source = open_report(self.reports, request.report_id)
        with SpooledTemporaryFile(_SPOOL_BYTES) as spool:
            digest = _Digest(spool)
            written = kind.write(source, digest, now=now)
            spool.seek(0)
            receipt = _receipt(source.header, kind, digest, written)
            self.trail.record(_event(request, receipt, now))
            delivery.deliver(_file(receipt, kind, cast("BinaryIO", spool)))
        return receipt


def open_report(reports: ReportStore, report_id: str = LATEST) -> ReportSource:
    """Return a stored report as a source to export from.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    header = reports.header(report_id)
    records = partial(reports.stream_findings, header.report_id)
    return ReportSource(header, records, earlier=_earlier(reports, header))


def _earlier(reports: ReportStore, header: ReportHeader) -> tuple[ReportHeader, ...]:
    """Return the reports before this one by the same scanner about the same account, oldest first."""
    return tuple(
        sorted(
            (
                other
                for other in reports.list_reports(_REPORTS_LOOKED_AT)
                if is_same_row(other, header) and other.generated_at < header.generated_at
            ),
            key=attrgetter("generated_at"),
        )
    )


def is_same_row(one: ReportHeader, other: ReportHeader) -> bool:
    """Tell whether two reports are by the same scanner about the same account: only those can be compared."""
    return (one.source, one.summary["account_id"]) == (other.source, other.summary["account_id"])


def file_name(header: ReportHeader, suffix: str) -> str:
    """Return such as `northwind-2026-11-24.html`: lower case, no character that any file system or shell minds."""
    stem = re.sub(r"[^a-z0-9]+", "-", header.name.lower()).strip("-")[:_LONGEST_NAME] or "report"
    return f"{stem}-{header.generated_at.astimezone(UTC):%Y-%m-%d}{suffix}"


class _Digest:
    """Passes bytes on and keeps their number and SHA-256."""

    def __init__(self, out: ByteSink) -> None:
        self.size = 0
        self._out = out
        self._hash = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        self._out.write(data)
        self.size += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _receipt(header: ReportHeader, kind: ExportFormat, digest: _Digest, written: Written) -> ExportReceipt:
    return ExportReceipt(
        report_id=header.report_id,
        name=file_name(header, kind.suffix),
        size=digest.size,
        sha256=digest.sha256,
        findings=written.findings,
        rejected=written.rejected,
        reasons=written.reasons,
    )


def _event(request: ExportRequest, receipt: ExportReceipt, now: datetime) -> TrailEvent:
    return TrailEvent(
        kind="report.exported",
        actor=request.actor,
        at=now,
        subject=receipt.report_id,
        detail={
            "format": request.format.strip().lower(),
            "destination": encodable(request.destination),
            "file": receipt.name,
            "size": receipt.size,
            "sha256": receipt.sha256,
            "findings": receipt.findings,
            "rejected": receipt.rejected,
        },
    )


def _file(receipt: ExportReceipt, kind: ExportFormat, content: BinaryIO) -> ExportedFile:
    return ExportedFile(
        name=receipt.name,
        media_type=kind.media_type,
        size=receipt.size,
        sha256=receipt.sha256,
        content=content,
        findings=receipt.findings,
        rejected=receipt.rejected,
    )
