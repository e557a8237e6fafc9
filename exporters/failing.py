"""What every pipeline format asks of a report: the findings that fail, checked, worst first, and how bad it is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from audit.findings import Finding, FindingDict, Severity
from exporters.outcome import Passage
from exporters.source import ReportSource

PASSED = "PASS"
_NAMESPACE = UUID("6f0f1f0a-6f3c-5a57-9d0b-2f8a4a1f3c11")


@dataclass(slots=True)
class Failing:
    """Streams the failing, unmuted findings and counts them, so that a gate never has to trust a stated summary."""

    source: ReportSource
    passage: Passage = field(default_factory=Passage)
    counts: Counter[Severity] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Finding]:
        for finding in self.passage.each(self.source.records(), _open):
            self.counts[finding.severity] += 1
            yield finding

    @property
    def status(self) -> str:
        """Return the worst severity seen so far, `PASS` where nothing fails."""
        return next((severity.value for severity in Severity if self.counts[severity]), PASSED)

    def count_by_word(self) -> dict[str, int]:
        """Return the counts the way the specification's summary names them."""
        return {severity.value.lower(): self.counts[severity] for severity in Severity}

    def errors(self) -> list[str]:
        """Return a line for each finding left out, now or when the report was read."""
        return [*self.source.header.rejected, *self.passage.lines()]


def _open(record: FindingDict) -> Finding | None:
    finding = Finding.from_dict(record)
    return finding if finding.is_open else None


def stable_id(finding: Finding) -> str:
    """Return a UUID that stays the same from report to report."""
    return str(uuid5(_NAMESPACE, finding.fingerprint))


def check_name(finding: Finding) -> str:
    """Return what the check goes by: its id, or the title where it has none."""
    return finding.check_id or finding.title
