"""Private pages: help, reports, a report, playbooks, a playbook."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from slack_sdk.models.blocks import Block, DividerBlock

from audit.findings import Finding, Severity
from audit.report import ReportHeader
from handlers.blocks.paging import Page
from handlers.blocks.parts import Message, context, fields, fit, header, join_first, section
from handlers.blocks.steps import describe_step
from handlers.blocks.texts import (
    code,
    code_block,
    escape,
    in_code,
    linkify,
    listed,
    moment,
    severity_words,
)
from handlers.vocabulary import CommandHelp
from remediation.playbook import RemediationPlaybook

_NAME_LIMIT = 120
_LEVELS = (
    (Severity.CRITICAL, "critical"),
    (Severity.HIGH, "high"),
    (Severity.MEDIUM, "medium"),
    (Severity.LOW, "low"),
    (Severity.INFO, "info"),
)
_ASIDE = (("muted", "muted"), ("manual", "for review"))
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fixable:
    """A finding and the id of the playbook that answers it, empty where none does."""

    finding: Finding
    playbook_id: str = ""


def build_help(
    command: CommandHelp, *, problem: str = "", meant: str = "", formats: Mapping[str, str] = _NONE
) -> Message:
    """Return a command's usage with examples; first what was wrong, and what may have been meant.

    `formats` are those that a report is exported to, by name, each with what it is for.
    """
    word = command.word(meant) if meant else None
    lead = [escape(problem, 400)] if problem else []
    if word:
        lead.append(f"Did you mean {code(word.example, 150)}?")
    width = max(len(command.usage(word)) for word in command.words)
    usage = [
        f"{command.usage(word).ljust(width)}  {in_code(word.description, 200)}" for word in command.words
    ]
    examples = "   ".join(code(word.example, 150) for word in command.words)
    blocks = [section(" ".join(lead))] if lead else []
    blocks += [section(f"*{command.name}*: {command.description}.\n{code_block(usage)}")]
    if formats:
        blocks.append(section(f"*Formats*\n{code_block(_format_lines(formats))}"))
    return Message(
        " ".join([*lead, f"How to use {command.name}: {escape(command.usage_hint, 200)}"]),
        (*blocks, context(f"Examples: {examples}")),
    )


def _format_lines(formats: Mapping[str, str]) -> list[str]:
    width = max(map(len, formats))
    return [f"{in_code(name, 40).ljust(width)}  {in_code(what, 150)}" for name, what in formats.items()]


def build_report_list(page: Page[ReportHeader]) -> Message:
    """Return a page of the reports, newest first."""
    shown = page.items
    if not shown and page.ref.offset:
        return page.nothing_more("reports")
    if not shown:
        return Message(
            "There are no reports yet. Whoever runs me takes one in with `countersign report ingest FILE`."
        )

    def build(room: int) -> list[Block]:
        blocks: list[Block] = [header(page.title("Reports"))]
        blocks += [section(_report_lines(report, min(room, _NAME_LIMIT))) for report in shown]
        blocks += page.buttons()
        return [*blocks, context("`/report show REPORT` shows one, the newest without an id.")]

    name = escape(shown[0].name, _NAME_LIMIT)
    if page.ref.offset:
        return Message(f"{page.title('Reports')}. The first of these is {name}.", fit(build))
    return Message(f"The newest {len(shown)} reports. The latest is {name}.", fit(build))


def _report_lines(report: ReportHeader, room: int) -> str:
    score = report.summary["security_score"]
    scored = "no score" if score is None else f"score {score:g} of 100"
    return (
        f"*{escape(report.name, room)}*  {code(report.report_id, 60)}\n"
        f"{moment(report.generated_at)}  ·  {escape(report.source, 60)}  ·  {scored}\n{failing_words(report)}"
    )


def failing_words(report: ReportHeader) -> str:
    """Return how many findings fail, by severity, worst first; severities nothing fails in are left out."""
    counts = _counts(report)
    failing = [f"{severity_words(level)} {counts[key]}" for level, key in _LEVELS if counts[key]]
    return "Failing: " + ",  ".join(failing) if failing else "Nothing fails."


def count_failing(report: ReportHeader) -> int:
    """Return how many findings fail and are not muted."""
    return sum(_counts(report)[key] for _, key in _LEVELS)


def _counts(report: ReportHeader) -> dict[str, int]:
    return {name: value for name, value in report.summary.items() if isinstance(value, int)}


def build_report(report: ReportHeader, worst: Sequence[Fixable]) -> Message:
    """Return a report's summary, its worst findings, the command that fixes each, and how many more there are."""
    more = count_failing(report) - len(worst)

    def build(room: int) -> list[Block]:
        short = min(room, 300)
        blocks: list[Block] = [header(report.name), section(failing_words(report)), fields(_summary(report))]
        if worst:
            blocks.append(DividerBlock())
        blocks += [section(finding_lines(entry, short)) for entry in worst]
        if more > 0:
            blocks.append(section(f"{more:,} more fail. `/report export html` lists them all."))
        return [
            *blocks,
            context(f"{code(report.report_id, 60)}  ·  `/report export html {escape(report.report_id, 60)}`"),
        ]

    return Message(f"Report {escape(report.name, _NAME_LIMIT)}. {failing_words(report)}", fit(build))


def _summary(report: ReportHeader) -> list[tuple[str, str]]:
    summary = report.summary
    score = summary["security_score"]
    return [
        (
            "Security score",
            "not known: no passing checks were reported" if score is None else f"{score:g} of 100",
        ),
        ("Findings", _breakdown(report)),
        ("Account", escape(summary["account_id"], 100) or "not named"),
        ("Scanned", f"{moment(report.generated_at)} ({escape(report.source, 60)})"),
    ]


def _breakdown(report: ReportHeader) -> str:
    """Return how many findings there are, and of those that do not fail, why."""
    counts = _counts(report)
    others = [f"{counts['passed']:,} pass"]
    others += [f"{counts[key]:,} {words}" for key, words in _ASIDE if counts[key]]
    return f"{counts['total_findings']:,}, of which {listed(others)}"


def finding_lines(entry: Fixable, room: int) -> str:
    """Return a finding, its resource, and the command that fixes it."""
    finding = entry.finding
    fix = (
        f"\nFix: {code(f'/playbook run {entry.playbook_id} {finding.handle}', 150)}"
        if entry.playbook_id
        else ""
    )
    resource = code(finding.resource, room) if finding.resource else "no resource named"
    return (
        f"{severity_words(finding.severity)}  *{escape(finding.title, room)}*  {code(finding.handle, 40)}\n"
        f"{resource}{fix}"
    )


def build_playbook_list(playbooks: Iterable[RemediationPlaybook]) -> Message:
    """Return the playbooks, one paragraph each."""
    books = list(playbooks)

    def build(room: int) -> list[Block]:
        shown = books[: min(40, max(1, room // 25))]
        more = f"… and {len(books) - len(shown)} more." if len(books) > len(shown) else ""
        ends = f"`/playbook show PLAYBOOK` explains one. {more}".strip()
        return [
            header("Playbooks"),
            *(section(_playbook_lines(book, min(room, 300))) for book in shown),
            context(ends),
        ]

    return Message(
        f"{len(books)} playbooks: {escape(', '.join(book.playbook_id for book in books), 500)}", fit(build)
    )


def _playbook_lines(book: RemediationPlaybook, room: int) -> str:
    return (
        f"{code(book.playbook_id, 80)}  *{escape(book.name, 120)}*\n"
        f"{severity_words(book.severity)}  ·  {escape(book.finding_category, 60)}  ·  {escape(book.description, room)}"
    )


def build_playbook(book: RemediationPlaybook, *, approval: str, rollback_approvals: int = 1) -> Message:
    """Return a playbook step by step; `approval` says in words what it takes to run it, `rollback_approvals` how many sign its rollback."""
    back = _rollback(book, approvals=rollback_approvals)

    def build(room: int) -> list[Block]:
        steps = [f"{number}. {describe_step(action)}" for number, action in enumerate(book.actions, start=1)]
        blocks: list[Block] = [
            header(book.name),
            section(escape(book.description, room) or "No description."),
            fields(_playbook_facts(book, approval, back, room)),
            section(f"*Steps*\n{join_first(steps, room)}"),
        ]
        if book.checks:
            checks = join_first([code(check, 100) for check in book.checks], room, separator=", ")
            blocks.append(section(f"*Answers findings of these checks*\n{checks}"))
        return [*blocks, context(f"`/playbook run {escape(book.playbook_id, 80)} FINDING`")]

    return Message(f"Playbook {escape(book.playbook_id, 80)}: {escape(book.name, 200)}", fit(build))


def _rollback(book: RemediationPlaybook, *, approvals: int) -> str:
    if not book.rollback_enabled:
        return "Not allowed"
    by_itself = book.rollback_on_failure and approvals <= 1
    return "Allowed, and by itself if a step fails" if by_itself else "Allowed"


def _playbook_facts(book: RemediationPlaybook, approval: str, back: str, room: int) -> list[tuple[str, str]]:
    return [
        ("Severity", severity_words(book.severity)),
        ("Category", escape(book.finding_category, 100) or "none"),
        ("Approval", linkify(escape(approval, min(room, 500)))),
        ("Rollback", back),
        ("Time limit", f"{book.timeout_seconds} s"),
    ]
