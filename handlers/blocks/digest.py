"""A digest in a channel: where things stand, what changed, what waits for whom, and what can be fixed first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    DividerBlock,
    PlainTextObject,
    SectionBlock,
)

from audit.findings import Finding
from audit.report import ReportHeader
from handlers.blocks.lists import Fixable, failing_words
from handlers.blocks.names import PLAN_FIX
from handlers.blocks.parts import Message, context, fields, fit, header, join_first, mrkdwn, section
from handlers.blocks.texts import code, escape, mention, moment, severity_words
from remediation.execution import PlaybookExecution

MOST_FIXES = 5
_MOST_LISTED = 10
_SECTION = 2900
_NEAR_ZERO = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest says. `earlier` is the report before this one, None where there is none.

    `urgent` are critical findings that are new or came back since the last digest, each with which of the two; None says
    nothing about them or about `overdue`. `pending` and `urgent` are the first of `pending_count` and `urgent_count`.
    `missed` earlier ones were not sent, because nobody was there to send them or Slack gave no answer; `due_at` is None where it is in time.
    """

    schedule_id: str
    when: str
    report: ReportHeader
    earlier: ReportHeader | None
    fixes: Sequence[Fixable]
    pending: Sequence[PlaybookExecution]
    pending_count: int
    urgent: Sequence[tuple[str, Finding]] | None = None
    urgent_count: int = 0
    overdue: int = 0
    missed: int = 0
    due_at: datetime | None = None


def build_digest(digest: Digest) -> Message:
    """Return the digest, with a button for each fix."""

    def build(room: int) -> list[Block]:
        short = min(room, 200)
        blocks: list[Block] = [header("Security digest"), section(failing_words(digest.report))]
        if digest.missed or digest.due_at:
            blocks.append(section(late_words(digest.missed, "digest", digest.due_at)))
        blocks.append(fields(_facts(digest)))
        if digest.urgent:
            lines = [_urgent_line(change, finding, short) for change, finding in digest.urgent[:_MOST_LISTED]]
            listed = join_first(lines, _SECTION - 100, total=digest.urgent_count)
            blocks.append(section(f"*New and regressed criticals*\n{listed}"))
        if digest.pending:
            lines = [_pending_line(execution, short) for execution in digest.pending]
            listed = join_first(lines, _SECTION - 100, total=digest.pending_count)
            blocks.append(section(f"*Waiting for approval*\n{listed}"))
        if digest.fixes:
            blocks += [
                DividerBlock(),
                section("*Fix first*  Planning changes nothing: a second person approves."),
            ]
            blocks += [_fix(entry, short) for entry in digest.fixes[:MOST_FIXES]]
            blocks += together(digest.fixes[:MOST_FIXES])
        return [*blocks, context(_small_print(digest))]

    return Message(_in_short(digest), fit(build))


def late_words(missed: int, what: str, due_at: datetime | None) -> str:
    """Return how many earlier ones were not sent, and when this one was due, each where there is something to say."""
    if not missed:
        return f"⏰ This {what} comes late{f': it was due {moment(due_at)}' if due_at else ''}."
    were = f"1 earlier {what} was" if missed == 1 else f"{missed:,} earlier {what}s were"
    due = f" It was due {moment(due_at)}." if due_at else ""
    return f"⏰ {were} missed: this is the only one that makes up for them.{due}"


def _in_short(digest: Digest) -> str:
    missed = f" {digest.missed:,} earlier missed." if digest.missed else ""
    return f"Security digest: score {_score(digest)}. {failing_words(digest.report)}{missed}"


def _facts(digest: Digest) -> list[tuple[str, str]]:
    facts = [("Security score", _score(digest))]
    if digest.urgent is not None:
        facts.append(("Overdue", f"{digest.overdue:,}" if digest.overdue else "None"))
        facts.append(
            ("New or regressed criticals", f"{digest.urgent_count:,}" if digest.urgent_count else "None")
        )
    facts.append(("Waiting for approval", f"{digest.pending_count:,}" if digest.pending_count else "Nothing"))
    return facts


def _score(digest: Digest) -> str:
    now = digest.report.summary["security_score"]
    if now is None:
        return "not known"
    before = digest.earlier.summary["security_score"] if digest.earlier else None
    return f"{now:g} of 100{_change(now, before)}"


def _change(now: float, before: float | None) -> str:
    if before is None:
        return ""
    change = now - before
    if abs(change) < _NEAR_ZERO:
        return ", as in the report before"
    return f", {'▲ up' if change > 0 else '▼ down'} {abs(change):.1f} from {before:g}"


def _urgent_line(change: str, finding: Finding, room: int) -> str:
    resource = code(finding.resource, room) if finding.resource else "no resource named"
    return f"{severity_words(finding.severity)}  {change}: {escape(finding.title, room)}  {resource}"


def _pending_line(execution: PlaybookExecution, room: int) -> str:
    where = f" in <#{execution.channel}>" if execution.channel else ""
    return (
        f"{escape(execution.playbook_name, room)} on {code(execution.finding.resource or '-', room)}{where}, "
        f"asked for by {mention(execution.requester)}, until {moment(execution.expires_at)}"
    )


def _fix(entry: Fixable, room: int) -> SectionBlock:
    finding = entry.finding
    resource = f"\n{code(finding.resource, room)}" if finding.resource else ""
    text = f"{severity_words(finding.severity)}  *{escape(finding.title, room)}*  {code(finding.handle, 40)}{resource}"
    button = ButtonElement(
        text=PlainTextObject(text="Plan this fix", emoji=False),
        action_id=PLAN_FIX,
        value=f"{entry.playbook_id} {finding.handle}",
        accessibility_label=f"Plan the fix of {finding.handle}"[:75],
    )
    return SectionBlock(text=mrkdwn(text), accessory=button)


def together(fixes: Sequence[Fixable]) -> list[Block]:
    """Return a button for each playbook that answers several of these findings: one card for all of them.

    Each button has a row of its own: Slack refuses a row in which two have the same action.
    """
    by_playbook: dict[str, dict[str, None]] = {}
    for entry in fixes:
        by_playbook.setdefault(entry.playbook_id, {})[entry.finding.handle] = None
    several = [(name, list(handles)) for name, handles in by_playbook.items() if len(handles) > 1]
    return [
        ActionsBlock(block_id=f"together-{number}", elements=[_plan_together(*each)])
        for number, each in enumerate(several)
    ]


def _plan_together(playbook_id: str, handles: Sequence[str]) -> ButtonElement:
    return ButtonElement(
        text=PlainTextObject(text=f"Plan {len(handles)} with {playbook_id}"[:75], emoji=False),
        action_id=PLAN_FIX,
        value=" ".join([playbook_id, *handles]),
        accessibility_label=f"Plan {len(handles)} fixes with {playbook_id} on one card"[:75],
    )


def _small_print(digest: Digest) -> str:
    report = digest.report
    return (
        f"{escape(report.name, 120)}  {code(report.report_id, 60)}  ·  {moment(report.generated_at)}  ·  "
        f"schedule {code(digest.schedule_id, 70)}, {escape(digest.when, 120)}"
    )
