"""A digest in a channel: where things stand, what changed, what waits for whom, and what can be fixed first."""

from collections.abc import Mapping, Sequence
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

from audit.findings import Finding, Severity
from audit.report import ReportHeader
from handlers.blocks.lists import Fixable
from handlers.blocks.names import PLAN_FIX
from handlers.blocks.parts import Message, context, fields, fit, header, join_first, mrkdwn, section
from handlers.blocks.texts import code, escape, mention, moment, severity_words
from remediation.execution import PlaybookExecution

MOST_FIXES = 5
_MOST_LISTED = 10
_SECTION = 2900
_NEAR_ZERO = 0.05


@dataclass(frozen=True, slots=True)
class Earlier:
    """The report that a score is compared with. `told_at` is when this schedule's digest told it; None where it is the report before."""

    report: ReportHeader
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest says. `report` has the score and is attached; `open` is counted now, in the one `account` or in all.

    `urgent` are critical findings that are new or came back `since` the last digest, each with which of the two; None says
    nothing about them or about `overdue`. `pending` and `urgent` are the first of `pending_count` and `urgent_count`.
    `fixes` are offered; `asked_for` findings that are as bad were asked for already. `missed` earlier ones were not
    sent, because nobody was there or Slack gave no answer; `due_at` is None where it is in time.
    """

    schedule_id: str
    when: str
    report: ReportHeader
    open: Mapping[Severity, int]
    earlier: Earlier | None
    fixes: Sequence[Fixable]
    asked_for: int = 0
    account: str = ""
    since: datetime | None = None
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
        blocks: list[Block] = [header(_headline(digest)), section(_open_words(digest))]
        if digest.missed or digest.due_at:
            blocks.append(section(late_words(digest.missed, "digest", digest.due_at)))
        blocks.append(fields(_facts(digest)))
        if digest.urgent:
            lines = [_urgent_line(change, finding, short) for change, finding in digest.urgent[:_MOST_LISTED]]
            listed = join_first(lines, _SECTION - 100, total=digest.urgent_count)
            since = f", since {moment(digest.since)}" if digest.since else ""
            blocks.append(section(f"*New and regressed criticals*{since}\n{listed}"))
        if digest.pending:
            lines = [_pending_line(execution, short) for execution in digest.pending]
            listed = join_first(lines, _SECTION - 100, total=digest.pending_count)
            blocks.append(section(f"*Waiting for approval*\n{listed}"))
        if digest.fixes:
            blocks += [
                DividerBlock(),
                section(
                    f"*Fix first*  Planning changes nothing: a second person approves.{_asked_words(digest)}"
                ),
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
    return (
        f"{escape(_headline(digest), 150)}: {_counts(digest)} Score {_score(digest, is_short=True)}.{missed}"
    )


def _headline(digest: Digest) -> str:
    return f"Security digest, {f'account {digest.account}' if digest.account else 'all accounts'}"


def _open_words(digest: Digest) -> str:
    """Return what is open, and which report the score and the file are of."""
    report = digest.report
    account = report.summary["account_id"]
    of_it = f", account {code(account, 60)}" if account else ""
    return (
        f"*Open now*, without what was fixed or excepted since the scan\n{_counts(digest)}\n"
        f"Score and file are of *{escape(report.name, 120)}* ({escape(report.source, 60)}{of_it}), {moment(report.generated_at)}"
    )


def _counts(digest: Digest) -> str:
    found = [
        f"{severity_words(level)} {digest.open[level]:,}" for level in Severity if digest.open.get(level)
    ]
    return f"{',  '.join(found)}." if found else "Nothing is open."


def _asked_words(digest: Digest) -> str:
    if not digest.asked_for:
        return ""
    those = "1 that is as bad was" if digest.asked_for == 1 else f"{digest.asked_for:,} that are as bad were"
    return f" {those} asked for already."


def _facts(digest: Digest) -> list[tuple[str, str]]:
    facts = [("Security score", _score(digest))]
    if digest.urgent is not None:
        facts.append(("Overdue", f"{digest.overdue:,}" if digest.overdue else "None"))
        facts.append(
            ("New or regressed criticals", f"{digest.urgent_count:,}" if digest.urgent_count else "None")
        )
    facts.append(("Waiting for approval", f"{digest.pending_count:,}" if digest.pending_count else "Nothing"))
    return facts


def _score(digest: Digest, *, is_short: bool = False) -> str:
    now = digest.report.summary["security_score"]
    if now is None:
        return "not known"
    return f"{now:g} of 100{_change(now, digest.earlier, is_short=is_short)}"


def _change(now: float, earlier: Earlier | None, *, is_short: bool) -> str:
    before = earlier.report.summary["security_score"] if earlier else None
    if earlier is None or before is None:
        return ""
    change, which = now - before, "" if is_short else f" in {_which(earlier)}"
    if abs(change) < _NEAR_ZERO:
        return f", as{which or ' before'}"
    return f", {'▲ up' if change > 0 else '▼ down'} {abs(change):.1f} from {before:g}{which}"


def _which(earlier: Earlier) -> str:
    if earlier.told_at:
        return f"the digest of {moment(earlier.told_at)}"
    return f"the report of {moment(earlier.report.generated_at)}"


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
    return f"Report {code(report.report_id, 60)}  ·  schedule {code(digest.schedule_id, 70)}, {escape(digest.when, 120)}"
