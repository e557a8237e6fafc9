"""Private pages about findings from report to report: a search, a comparison, a trend."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from slack_sdk.models.blocks import Block

from audit.findings import Severity
from audit.lifecycle import Comparison, LifecycleState, Portion, TrackedFinding, TrendPoint
from audit.wording import span_words
from handlers.blocks.lists import Fixable, finding_lines
from handlers.blocks.paging import Page
from handlers.blocks.parts import Message, context, fit, header, section
from handlers.blocks.texts import code, escape, moment, severity_words

_STATE_WORDS: Mapping[LifecycleState, str] = {
    LifecycleState.NEW: "🆕 new",
    LifecycleState.OPEN: "open",
    LifecycleState.FIXED: "✅ fixed",
    LifecycleState.REGRESSED: "↩️ came back",
    LifecycleState.EXCEPTED: "excepted",
}


def build_findings(
    page: Page[TrackedFinding], fixables: Sequence[Fixable], *, total: int, is_settling: bool
) -> Message:
    """Return a page of a search, with the buttons that lead to its neighbours.

    `is_settling` tells whether a report is still being worked in.
    """
    words = page.ref.words
    asked = code(" ".join(words), 300) if words else "what waits for somebody"
    if not page.items and page.ref.offset:
        return page.nothing_more("findings")
    if not page.items:
        return Message(f"No finding matches {asked}." + (_SETTLING if is_settling else ""))

    def build(room: int) -> list[Block]:
        last = page.ref.offset + len(page.items)
        blocks: list[Block] = [header(f"Findings {page.ref.offset + 1:,} to {last:,} of {total:,}")]
        blocks += [
            section(f"{finding_lines(fixable, min(room, 300))}\n{_history(item)}")
            for item, fixable in zip(page.items, fixables, strict=True)
        ]
        blocks += page.buttons()
        return [*blocks, context(f"Asked for: {asked}.{_SETTLING if is_settling else ''}")]

    return Message(f"{total:,} findings match {asked}.", fit(build), replaces=True)


_SETTLING = " A report is still being worked in: what it no longer shows is closed in a moment."


def _history(item: TrackedFinding) -> str:
    parts = [_STATE_WORDS[item.state], f"since {moment(item.opened_at)}"]
    if item.due_at:
        due = f"due {moment(item.due_at)}"
        parts.append(f"⏰ *overdue*, was {due}" if item.is_overdue else due)
    if item.excepted_until:
        parts.append(f"until {moment(item.excepted_until)}")
    if item.fixed_at:
        by = f" by {code(item.fixed_by, 60)}" if item.fixed_by else ""
        parts.append(f"fixed {moment(item.fixed_at)}{by}")
    if item.regressed_from:
        parts.append(f"after {code(item.regressed_from, 60)} had fixed it")
    return "  ·  ".join(parts)


def build_comparison(found: Comparison) -> Message:
    """Return what changed between two reports."""
    portions = (
        ("New", found.new),
        ("Came back", found.regressed),
        ("Still open", found.still_open),
        ("Fixed", found.fixed),
        ("Not looked at", found.unseen),
    )
    said = ",  ".join(f"{name.lower()} {portion.count:,}" for name, portion in portions)

    def build(room: int) -> list[Block]:
        blocks: list[Block] = [
            header("What changed"),
            section(
                f"From *{escape(found.before.name, 100)}* {code(found.before.report_id, 60)} of "
                f"{moment(found.before.generated_at)}\nto *{escape(found.after.name, 100)}* "
                f"{code(found.after.report_id, 60)} of {moment(found.after.generated_at)}"
            ),
        ]
        blocks += [section(_portion(name, portion, room)) for name, portion in portions if portion.count]
        return [*blocks, context("Not looked at: failed before, and the later report did not look there.")]

    return Message(f"What changed: {said}.", fit(build))


def _portion(name: str, portion: Portion, room: int) -> str:
    most = max(1, min(5, room // 100))
    lines = [
        f"{severity_words(finding.severity)}  {escape(finding.title, min(room, 150))}  {code(finding.handle, 40)}"
        for finding in portion.worst[:most]
    ]
    more = portion.count - len(lines)
    return "\n".join([f"*{name}: {portion.count:,}*", *lines, *([f"… and {more:,} more"] if more else [])])


def build_trend(points: Sequence[TrendPoint]) -> Message:
    """Return the trend in words: the newest reports, newest first."""
    shown = list(reversed(points))[:10]

    def build(_room: int) -> list[Block]:
        lines = [f"{moment(point.at)}  {code(point.report_id, 60)}\n{_point_words(point)}" for point in shown]
        return [header("Trend"), *(section(line) for line in lines)]

    return Message(f"Trend over {len(points)} reports. {_point_words(points[-1])}", fit(build))


def _point_words(point: TrendPoint) -> str:
    failing = [f"{severity_words(severity)} {count:,}" for severity, count in _failing(point)]
    score = "no score" if point.score is None else f"score {point.score:g} of 100"
    fixing = f"  ·  fixed after {_span(point.mean_time_to_fix)} on average" if point.mean_time_to_fix else ""
    return f"{',  '.join(failing) or 'Nothing fails'}  ·  {score}{fixing}"


def _failing(point: TrendPoint) -> list[tuple[Severity, int]]:
    return [(severity, count) for severity, count in point.failing.items() if count]


def _span(span: timedelta) -> str:
    return span_words(span)
