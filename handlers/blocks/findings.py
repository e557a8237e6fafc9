"""Private pages about findings from report to report: a search, a comparison, a trend."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, PlainTextObject

from audit.errors import InputError
from audit.findings import Severity
from audit.lifecycle import Comparison, FindingPage, LifecycleState, Portion, TrackedFinding, TrendPoint
from audit.wording import span_words
from handlers.blocks.lists import Fixable, finding_lines
from handlers.blocks.names import NEXT_FINDINGS, PREVIOUS_FINDINGS
from handlers.blocks.parts import Message, context, fit, header, section
from handlers.blocks.texts import code, escape, moment, severity_words

_STATE_WORDS: Mapping[LifecycleState, str] = {
    LifecycleState.NEW: "🆕 new",
    LifecycleState.OPEN: "open",
    LifecycleState.FIXED: "✅ fixed",
    LifecycleState.REGRESSED: "↩️ came back",
    LifecycleState.EXCEPTED: "excepted",
}
_LONGEST_QUERY = 1500


@dataclass(frozen=True, slots=True)
class PageRef:
    """All that a paging button says: the words of the search, and where the page begins."""

    words: tuple[str, ...]
    offset: int

    @property
    def value(self) -> str:
        """Return it as a button carries it."""
        return json.dumps([self.offset, *self.words], ensure_ascii=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a button's value.

        Raises:
            InputError: it is none of ours.
        """
        try:
            offset, *words = json.loads(value)
        except (ValueError, TypeError):
            raise InputError(_NOT_OURS) from None
        is_ours = isinstance(offset, int) and all(isinstance(word, str) for word in words)
        if not is_ours or not 0 <= offset <= 10**9:
            raise InputError(_NOT_OURS)
        return cls(tuple(words), offset)


_NOT_OURS = "This button is not one of ours, or from another version. Search once more."


def build_findings(
    page: FindingPage, ref: PageRef, fixables: Sequence[Fixable], *, size: int, is_settling: bool
) -> Message:
    """Return a page of a search, with the buttons that lead to its neighbours.

    `is_settling` tells whether a report is still being worked in.
    """
    asked = code(" ".join(ref.words), 300) if ref.words else "what waits for somebody"
    if not page.items:
        words = f"No finding matches {asked}." if not ref.offset else "There are no more findings."
        return Message(words + (_SETTLING if is_settling else ""))

    def build(room: int) -> list[Block]:
        last = ref.offset + len(page.items)
        blocks: list[Block] = [header(f"Findings {ref.offset + 1:,} to {last:,} of {page.total:,}")]
        blocks += [
            section(f"{finding_lines(fixable, min(room, 300))}\n{_history(item)}")
            for item, fixable in zip(page.items, fixables, strict=True)
        ]
        buttons = list(_buttons(page, ref, size))
        if buttons:
            blocks.append(ActionsBlock(elements=buttons))
        return [*blocks, context(f"Asked for: {asked}.{_SETTLING if is_settling else ''}")]

    return Message(f"{page.total:,} findings match {asked}.", fit(build), replaces=True)


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


def _buttons(page: FindingPage, ref: PageRef, size: int) -> Iterator[ButtonElement]:
    if len(ref.value) > _LONGEST_QUERY:
        return
    if ref.offset:
        yield _button(PREVIOUS_FINDINGS, "Previous", PageRef(ref.words, max(0, ref.offset - size)))
    if ref.offset + len(page.items) < page.total:
        yield _button(NEXT_FINDINGS, "Next", PageRef(ref.words, ref.offset + size))


def _button(action_id: str, text: str, ref: PageRef) -> ButtonElement:
    return ButtonElement(action_id=action_id, text=PlainTextObject(text=text, emoji=False), value=ref.value)


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
