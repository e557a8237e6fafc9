"""The findings part of the PDF: one pass over the stream keeps what fits on paper and counts the rest.

A stream comes worst first, so what is kept are the most severe. Two limits hold: findings, for the reader's sake, and
characters, so that a thousand very long texts do not take the machine's memory.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from audit.findings import Finding, FindingDict, Severity
from exporters.pdf_rows import Head, Row, Said, head_of, row_of, said_by
from exporters.pdf_text import title

MOST_FINDINGS = 5_000
MOST_CHARACTERS = 4_000_000
MOST_SETTLED = 400


class Part(Enum):
    """Where in the document a finding belongs."""

    FAILING = "FAIL"
    REVIEW = "MANUAL"
    PASSED = "PASS"
    MUTED = "muted"


SETTLED = {Part.PASSED, Part.MUTED}


class Entry(NamedTuple):
    """A finding that has been looked at. `finding` is there only where it gets a row: to check all of it takes long."""

    part: Part
    severity: Severity
    check: str
    title: str
    finding: Finding | None


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
    """Takes findings in the stream's order.

    `hidden` counts, by severity, those that found no room; `unnamed` those that passed or were muted and whose check is
    not among the first 400 in `settled`.
    """

    most_findings: int = MOST_FINDINGS
    most_characters: int = MOST_CHARACTERS
    shown: int = 0
    unnamed: int = 0
    hidden: Counter[Severity] = field(default_factory=Counter)
    settled: dict[str, Settled] = field(default_factory=dict)
    _characters: int = 0
    _checks: dict[tuple[Part, Severity, str], Check] = field(default_factory=dict)

    def shape(self, record: FindingDict) -> Entry:
        """Look at a finding and change nothing.

        Raises:
            KeyError, ValueError, InputError: it is malformed.
        """
        part = Part.MUTED if record.get("muted") is True else Part(record["status"])
        is_counted_only = part in SETTLED or not self._has_room()
        return Entry(
            part=part,
            severity=Severity(record["severity"]),
            check=record.get("check_id") or record["title"],
            title=record["title"],
            finding=None if is_counted_only else Finding.from_dict(record),
        )

    def place(self, entry: Entry) -> None:
        """Give a finding its row, or count it where it gets none."""
        if entry.part in SETTLED:
            self._settle(entry)
        elif entry.finding is None:
            self.hidden[entry.severity] += 1
        else:
            self._show(entry, entry.finding)

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

    def _settle(self, entry: Entry) -> None:
        known = self.settled.get(entry.check)
        if known is None and len(self.settled) >= MOST_SETTLED:
            self.unnamed += 1
            return
        if known is None:
            known = self.settled[entry.check] = Settled(title(entry.title))
        known.counts[entry.part] += 1

    def _show(self, entry: Entry, finding: Finding) -> None:
        check = self._check_for(entry, finding)
        row = row_of(finding, check.said)
        check.rows.append(row)
        self.shown += 1
        self._characters += _length(row)

    def _check_for(self, entry: Entry, finding: Finding) -> Check:
        key = (entry.part, entry.severity, entry.check)
        if key not in self._checks:
            anchor, head = f"check-{len(self._checks) + 1}", head_of(finding)
            self._checks[key] = Check(anchor, entry.severity, head, said_by(finding))
            self._characters += _length(head)
        return self._checks[key]


def _length(texts: Row | Head) -> int:
    return sum(len(str(text)) for text in texts.values())
