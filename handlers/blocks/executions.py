"""Private lists of executions: what waits, and what was done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slack_sdk.models.blocks import ActionsBlock, Block

from handlers.blocks.batch_home import batch_lines
from handlers.blocks.buttons import execution_button
from handlers.blocks.names import HOME_ROLL_BACK, REFUSE_ROLLBACK
from handlers.blocks.paging import Page
from handlers.blocks.parts import MOST_CHARACTERS, Message, context, fit, header, section, size_of
from handlers.blocks.pending import rollback_sentence
from handlers.blocks.states import wording
from handlers.blocks.texts import code, escape, mention, moment, place, severity_words
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus

T = TypeVar("T")
_NAME_LIMIT = 120
_MOST = 10
_MOST_ROLLBACKS = 5  # each has two buttons
_BESIDE = 2  # below a list of fixes, and that
_MOST_ABOVE = 5  # is shorter then
_WAITING = "Waiting for a decision"
_ROLLBACKS = "Rollbacks waiting for signatures"
_Entry = tuple[str, Callable[[int], str]]
"""How the words for a list name it, and its lines with so much room for each name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits for a decision, and matches: fixes and batches of them; and rollbacks, on the first page.

    `fixes` counts each fix and `entries` what a list has of them, shown here or not.
    """

    page: Page[PlaybookExecution | Members]
    fixes: int
    entries: int
    rollbacks: Sequence[PlaybookExecution] = ()


def size_of_page(rollbacks: Sequence[PlaybookExecution]) -> int:
    """Return how many entries fit on a page that shows these rollbacks too."""
    return _MOST_ABOVE if rollbacks else _MOST


def build_pending(pending: Pending, *, rollback_approvals: int = 1) -> Message:
    """Return what waits, those whose time ends first first, and what rollbacks do."""
    page, rollbacks = pending.page, pending.rollbacks
    waiting = build_rollbacks(
        rollbacks, most=_BESIDE if page.items else _MOST_ROLLBACKS, needed=rollback_approvals
    )
    if not page.items and page.ref.offset:
        return page.nothing_more("fixes that wait")
    if not page.items:
        return waiting if rollbacks else Message(_nothing(page.ref.words))
    fixes = _fixes(pending, taken=size_of(waiting.blocks))
    if not rollbacks:
        return fixes
    return Message(f"{fixes.text} {waiting.text}", (*fixes.blocks, *waiting.blocks))


def _nothing(words: Sequence[str]) -> str:
    return f"Nothing waits for a decision{_asked_for(words)}."


def _asked_for(words: Sequence[str]) -> str:
    return f" that is {code(' '.join(words), 300)}" if words else ""


def _fixes(pending: Pending, *, taken: int) -> Message:
    page = pending.page
    hint = (
        "`/playbook approve EXECUTION` shows a plan and lets you sign it. The beginning of an id is enough."
    )
    if any(isinstance(entry, Members) for entry in page.items):
        hint += " So is the id of what was asked for together (`b-…`), which is decided as one."
    if page.ref.words:
        hint += f" Asked for: {code(' '.join(page.ref.words), 300)}."
    more = "" if page.is_whole else f" {pending.fixes:,} fixes wait in all."
    title = _WAITING if page.is_whole else page.title(f"{_WAITING}:", total=pending.entries)
    return _list(page, _entry, title=title, hint=hint, more=more, taken=taken)


def build_rollbacks(executions: Sequence[PlaybookExecution], *, most: int, needed: int) -> Message:
    """Return the rollbacks that wait for signatures, who has signed each, and a button that shows it to be signed."""
    if not executions:
        return Message("No rollback waits for a signature.")
    shown = executions[: min(most, _MOST_ROLLBACKS)]
    more = " There are more." if len(executions) > len(shown) else ""

    def build(room: int) -> list[Block]:
        entries = [
            block
            for number, execution in enumerate(shown)
            for block in rollback_entry(execution, needed=needed, room=min(room, _NAME_LIMIT), number=number)
        ]
        hint = context(f"`/playbook rollback EXECUTION` shows one here. Only approvers may sign.{more}")
        return [header(_ROLLBACKS), *entries, hint]

    first = f"{escape(shown[0].playbook_name, _NAME_LIMIT)} for {shown[0].finding.handle}"
    return Message(f"{_ROLLBACKS}: {len(shown)}, the first is {first}.{more}", fit(build))


def rollback_entry(execution: PlaybookExecution, *, needed: int, room: int, number: int) -> list[Block]:
    """Return a rollback that waits, in three lines, with buttons to look at it and sign, and to refuse it."""
    finding, asked = execution.finding, execution.rollback
    told = rollback_sentence(execution, asked, needed=needed) if asked else ""
    resource = f"  ·  {code(finding.resource, room)}" if finding.resource else ""
    lines = (
        f"↩️ *{escape(execution.playbook_name, room)}*  {code(execution.execution_id, 80)}\n"
        f"{severity_words(finding.severity)}  ·  {escape(finding.title, room)} {code(finding.handle, 40)}{resource}\n{told}"
    )
    buttons = [
        execution_button(execution, HOME_ROLL_BACK, "Look and sign…", style="primary"),
        execution_button(execution, REFUSE_ROLLBACK, "Refuse rollback", style="danger"),
    ]
    return [section(lines), ActionsBlock(block_id=f"rollback-{number}", elements=buttons)]


def build_history(page: Page[PlaybookExecution]) -> Message:
    """Return a page of what was asked for and what became of it, newest first; its words name what the list is limited to."""
    about = " ".join(page.ref.words)
    of = f" for {escape(about, 200)}" if about else ""
    if not page.items and page.ref.offset:
        return page.nothing_more("fixes")
    if not page.items:
        return Message(f"Nothing was ever asked for{of}." if about else "Nothing was ever asked for.")
    hint = "`/playbook status EXECUTION` shows one step by step."
    return _list(page, _entry, title=page.title(f"Fixes{of}"), hint=hint)


def _entry(entry: PlaybookExecution | Members) -> _Entry:
    if isinstance(entry, Members):
        about = f"{escape(entry.batch.playbook_name, _NAME_LIMIT)}, {len(entry.waiting)} at once"
        return about, lambda room: batch_lines(entry, room)
    about = f"{escape(entry.playbook_name, _NAME_LIMIT)} for {entry.finding.handle}"
    return about, lambda room: execution_lines(entry, room)


def _list(  # noqa: PLR0913 - private, and named at each call
    page: Page[T], entry_of: Callable[[T], _Entry], *, title: str, hint: str, more: str = "", taken: int = 0
) -> Message:
    entries = [entry_of(each) for each in page.items]

    def build(room: int) -> list[Block]:
        lines = [section(said(min(room, _NAME_LIMIT))) for _, said in entries]
        return [header(title), *lines, *page.buttons(), context(hint + more)]

    count = f": {len(entries)}" if page.is_whole else ""
    words = f"{title}{count}, the first is {entries[0][0]}.{more}"
    return Message(words, fit(build, limit=MOST_CHARACTERS - taken))


def execution_lines(execution: PlaybookExecution, room: int) -> str:
    """Return an execution in three lines: what and where it stands, what it is about, who asked and until when."""
    words, finding = wording(execution), execution.finding
    resource = f"  ·  {code(finding.resource, room)}" if finding.resource else ""
    return (
        f"{words.sign} *{escape(execution.playbook_name, room)}*  {code(execution.execution_id, 80)}\n"
        f"{severity_words(finding.severity)}  ·  {escape(finding.title, room)} {code(finding.handle, 40)}{resource}\n"
        f"{words.sentence}. {_when(execution)}"
    )


def _when(execution: PlaybookExecution) -> str:
    where = f", card in {place(execution.channel)}" if execution.channel else ""
    asked = f"Asked for by {mention(execution.requester)}, {moment(execution.created_at)}{where}"
    if execution.status is PlaybookStatus.PENDING:
        return f"{asked}. Time to decide until {moment(execution.expires_at)}"
    return asked
