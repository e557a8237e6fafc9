"""The findings part of the PDF: one pass over the stream keeps what fits on paper and counts the rest.

A stream comes worst first, so what is kept are the most severe. Two limits hold: findings, for the reader's sake, and
characters, so that a thousand very long texts do not take the machine's memory.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from audit.findings import Finding, FindingStatus, Severity
from exporters.failing import check_name
from exporters.pdf_rows import Head, Row, Said, head_of, row_of, said_by
from exporters.pdf_text import title

MOST_FINDINGS = 5_000
MOST_CHARACTERS = 4_000_000
MOST_SETTLED = 400


class Part(Enum):
    """Where in the document a finding belongs."""

    FAILING = "failing"
    REVIEW = "review"
    PASSED = "passed"
    MUTED = "muted"


_PARTS = {
    FindingStatus.FAIL: Part.FAILING,
    FindingStatus.MANUAL: Part.REVIEW,
    FindingStatus.PASS: Part.PASSED,
}
_SETTLED = {Part.PASSED, Part.MUTED}


def part_of(finding: Finding) -> Part:
    """Return the part: somebody's decision to mute comes before what the scanner says."""
    return Part.MUTED if finding.muted else _PARTS[finding.status]


@dataclass(slots=True)
class Check:
    """A check and its resources. `anchor` is what links within the document go to."""

    anchor: str
    severity: Severity
    head: Head
    said: Said
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Settled:
    """A check with resources that passed or were muted, and how many of each."""

    title: str
    counts: Counter[Part] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Body:
    """Takes findings in the stream's order. `hidden` counts, by severity, those that found no room."""

    most_findings: int = MOST_FINDINGS
    most_characters: int = MOST_CHARACTERS
    shown: int = 0
    totals: Counter[Part] = field(default_factory=Counter)
    hidden: Counter[Severity] = field(default_factory=Counter)
    settled: dict[str, Settled] = field(default_factory=dict)
    _characters: int = 0
    _checks: dict[tuple[Part, Severity, str], Check] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Give one finding its row, or count it where it gets none."""
        part = part_of(finding)
        self.totals[part] += 1
        if part in _SETTLED:
            self._settle(finding, part)
        elif self.hidden or not self._has_room():
            self.hidden[finding.severity] += 1
        else:
            self._show(finding, part)

    def checks(self, part: Part) -> list[Check]:
        """Return the checks of a part, worst first."""
        kept = [check for (place, *_), check in self._checks.items() if place is part]
        return sorted(kept, key=lambda check: check.severity.rank)

    def anchor(self, severity: Severity, name: str) -> str:
        """Return where a failing check stands; nothing where it is not shown."""
        check = self._checks.get((Part.FAILING, severity, name))
        return check.anchor if check else ""

    def _has_room(self) -> bool:
        return self.shown < self.most_findings and self._characters < self.most_characters

    def _settle(self, finding: Finding, part: Part) -> None:
        name = check_name(finding)
        if name in self.settled or len(self.settled) < MOST_SETTLED:
            self.settled.setdefault(name, Settled(title(finding.title))).counts[part] += 1

    def _show(self, finding: Finding, part: Part) -> None:
        check = self._check_for(finding, part)
        row = row_of(finding, check.said)
        check.rows.append(row)
        self.shown += 1
        self._characters += _length(row)

    def _check_for(self, finding: Finding, part: Part) -> Check:
        key = (part, finding.severity, check_name(finding))
        if key not in self._checks:
            anchor, head = f"check-{len(self._checks) + 1}", head_of(finding)
            self._checks[key] = Check(anchor, finding.severity, head, said_by(finding))
            self._characters += _length(head)
        return self._checks[key]


def _length(texts: Row | Head) -> int:
    return sum(len(str(text)) for text in texts.values())
