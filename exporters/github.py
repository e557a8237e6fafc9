"""GitHub Actions: workflow commands that annotate the run, and a summary in Markdown.

Of each type GitHub shows ten annotations per step and drops the others silently, so the rest is counted in a notice.
A line feed inside a command would begin another one: everything from outside is escaped
(docs.github.com, “Workflow commands for GitHub Actions”; actions/toolkit, `command.ts`).
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from audit.findings import Finding, Severity
from exporters.failing import Failing
from exporters.json_document import JsonDocument
from exporters.outcome import ByteSink, Written
from exporters.source import ReportSource
from exporters.text import clip, one_line

MOST_PER_TYPE = 10
_MOST_LISTED = 50
_LONGEST_TEXT = 300
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>$@:])")


def write_github(source: ReportSource, out: ByteSink, *, now: datetime) -> Written:
    """Write an object with `status`, `counts`, `annotations` (to be printed a line each) and `step_summary`."""
    failing, document, header = Failing(source), JsonDocument(out), source.header
    page = _Page()
    for finding in failing:
        page.add(finding)
    document.member("metadata", header.metadata(now, "github"))
    document.member("status", failing.status)
    document.member("counts", failing.count_by_word())
    document.member("failing", failing.counts.total())
    document.member("annotations", page.commands())
    document.member("step_summary", _summary(failing, page.listed))
    document.member("errors", failing.errors())
    document.close()
    return failing.passage.written()


def command(level: str, *, title: str, message: str) -> str:
    """Return one workflow command; neither text can end it or begin another."""
    return f"::{level} title={title.translate(_PROPERTY)}::{message.translate(_DATA)}"


@dataclass(slots=True)
class _Page:
    """What is shown of a report of any length: the first annotations of each type, the first findings."""

    shown: list[str] = field(default_factory=list)
    listed: list[Finding] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        level = _LEVELS[finding.severity]
        self.levels[level] += 1
        if self.levels[level] <= _room(level):
            self.shown.append(_annotation(level, finding))
        if len(self.listed) < _MOST_LISTED:
            self.listed.append(finding)

    def commands(self) -> list[str]:
        more = self.levels.total() - len(self.shown)
        if not more:
            return self.shown
        said = f"{more:,} more failing findings are not shown here; see the step summary and the full report."
        return [*self.shown, command("notice", title="Countersign", message=said)]


def _room(level: str) -> int:
    """Return how many of a level may be shown; one notice is kept for counting the rest."""
    return MOST_PER_TYPE - (level == "notice")


def _annotation(level: str, finding: Finding) -> str:
    title = clip(one_line(f"{finding.severity}: {finding.title}"), _LONGEST_TEXT)
    said = filter(None, (finding.resource, finding.evidence or finding.remediation))
    return command(level, title=title, message=clip(one_line(" – ".join(said)), _LONGEST_TEXT) or title)  # noqa: RUF001 - a dash


def _summary(failing: Failing, listed: list[Finding]) -> str:
    """Return Markdown well below GitHub's 1 MiB."""
    counts = failing.count_by_word()
    lines = [
        f"## Countersign: {failing.status}",
        "",
        f"| {' | '.join(word.capitalize() for word in counts)} |",
        f"|{'---:|' * len(counts)}",
        f"| {' | '.join(f'{count:,}' for count in counts.values())} |",
    ]
    if listed:
        lines += ["", "| Severity | Finding | Resource |", "|---|---|---|", *map(_line, listed)]
    if more := failing.counts.total() - len(listed):
        lines += ["", f"{more:,} more in the full report."]
    return "\n".join([*lines, ""])


def _line(finding: Finding) -> str:
    return f"| {finding.severity} | {_plain(finding.title)} | {_plain(finding.resource)} |"


def _plain(text: str) -> str:
    """Return the text so that Markdown shows it and does nothing else with it."""
    shown = clip(one_line(text), _LONGEST_TEXT)
    return _MARKDOWN.sub(r"\\\1", shown.replace("&", "&amp;").replace("<", "&lt;"))
