"""The specification's `AWSAuditReport`: an AWS account's audit put together by a program.

It opens nothing and draws nothing: what was read of the account is handed in, and so is whatever draws the PDF.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol

from audit.collect.analysis import judge_iam, judge_storage
from audit.compliance import with_compliance
from audit.errors import ConfigError, InputError
from audit.findings import Finding
from audit.report import AuditReport, ReportData

DEFAULT_PATH: Final = "reports/audit.pdf"
_DIGITS: Final = 12


class PdfRenderer(Protocol):
    """Draws a report as a PDF."""

    def __call__(self, report_data: Mapping[str, object], output_path: str, /) -> object:
        """Write the report to a path."""


class AWSAuditReport:
    """An audit of one AWS account.

    Args:
        account_id: the account's twelve digits.
        renderer: draws the PDF, such as `PDFExporter().export_report_to_pdf`; without one there is no PDF.
        clock: the time, aware; ages of keys and passwords are counted from it.
    """

    def __init__(
        self,
        account_id: str,
        *,
        renderer: PdfRenderer | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if len(account_id) != _DIGITS or not (account_id.isascii() and account_id.isdecimal()):
            raise InputError(f"{account_id[:40]!r} is not an AWS account id of {_DIGITS} digits")
        self.account_id = account_id
        self._renderer = renderer
        self._when = clock()
        self._findings: dict[str, Finding] = {}
        self._maps_compliance = False

    def add_iam_analysis(self, iam_data: Mapping[str, object]) -> None:
        """Check what is known of `root`, `users` and `password_policy`; docs/audit.md shows the shape.

        What is not among the data is not checked. `findings` takes findings made elsewhere.

        Raises:
            InputError: it is not of this shape; nothing is added.
        """
        self._add(judge_iam(iam_data, account_id=self.account_id, when=self._when))

    def add_storage_analysis(self, storage_data: Mapping[str, object]) -> None:
        """Check what is known of `account_public_access_block` and `buckets`; docs/audit.md shows the shape.

        What is not among the data is not checked. `findings` takes findings made elsewhere.

        Raises:
            InputError: it is not of this shape; nothing is added.
        """
        self._add(judge_storage(storage_data, account_id=self.account_id, when=self._when))

    def enable_compliance_mapping(self) -> None:
        """Name the controls that each finding is about, and sum them up by framework."""
        self._maps_compliance = True

    def generate_pdf(self, output_path: str | None = None) -> ReportData:
        """Write the PDF, and return the specification's report dictionary.

        Args:
            output_path: where to; without one, `reports/audit.pdf` where there is a renderer.

        Raises:
            ConfigError: a path is named, and there is no renderer.
            CountersignError: the renderer cannot draw it.
        """
        data = self.to_dict()
        if self._renderer is not None:
            self._renderer({**data}, output_path or DEFAULT_PATH)
        elif output_path is not None:
            raise ConfigError("AWSAuditReport has no renderer: hand it PDFExporter().export_report_to_pdf")
        return data

    def to_dict(self) -> ReportData:
        """Return the specification's report dictionary."""
        mapped = map(with_compliance, self._findings.values())
        report = AuditReport.of(
            mapped if self._maps_compliance else self._findings.values(),
            report_id=f"aws-{self.account_id}-{self._when:%Y%m%dT%H%M%SZ}",
            generated_at=self._when,
            name=f"AWS account {self.account_id}",
        )
        summary = {**report.header.summary, "account_id": self.account_id}
        return replace(report, header=replace(report.header, summary=summary)).to_dict()  # type: ignore[arg-type]

    def _add(self, findings: Iterable[Finding]) -> None:
        # Listed first, so that a mistake in the middle of the data adds nothing.
        added = list(findings)
        self._findings |= {finding.fingerprint: finding for finding in added}
