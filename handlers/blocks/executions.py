"""Private lists of executions: what waits, and what was done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block

from handlers.blocks.batch_home import batch_lines
from handlers.blocks.buttons import execution_button
from handlers.blocks.names import HOME_ROLL_BACK, REFUSE_ROLLBACK
from handlers.blocks.parts import MOST_CHARACTERS, Message, context, fit, header, section, size_of
from handlers.blocks.pending import rollback_sentence
from handlers.blocks.states import wording
from handlers.blocks.texts import code, escape, mention, moment, place, severity_words
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus

_NAME_LIMIT = 120
_MOST_ROLLBACKS = 5  # each has two buttons
_BESIDE = 2  # below a list of fixes, and that
_MOST_ABOVE = 5  # is shorter then
_ROLLBACKS = "Rollbacks waiting for signatures"
_Entry = tuple[str, Callable[[int], str]]
"""How the words for a list name it, and its lines with so much room for each name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits for a decision: fixes, batches of them, and rollbacks. `total` counts each fix, listed here or not."""

    executions: Sequence[PlaybookExecution] = ()
    batches: Sequence[Members] = ()
    total: int = 0
    is_cut: bool = False
    rollbacks: Sequence[PlaybookExecution] = ()


def build_pending(pending: Pending, *, most: int, rollback_approvals: int = 1) -> Message:
    """Return what waits: batches, fixes, rollbacks. At most `most`, those whose time ends first first."""
    rollbacks, has_fixes = pending.rollbacks, bool(pending.executions or pending.batches)
    waiting = build_rollbacks(
        rollbacks, most=min(most, _BESIDE) if has_fixes else most, needed=rollback_approvals
    )
    if not has_fixes:
        return waiting if rollbacks else Message("Nothing waits for a decision.")
    fixes = _fixes(pending, most=min(most, _MOST_ABOVE) if rollbacks else most, taken=size_of(waiting.blocks))
    if not rollbacks:
        return fixes
    return Message(f"{fixes.text} {waiting.text}", (*fixes.blocks, *waiting.blocks))


def _fixes(pending: Pending, *, most: int, taken: int) -> Message:
    hint = (
        "`/playbook approve EXECUTION` shows a plan and lets you sign it. The beginning of an id is enough."
    )
    if pending.batches:
        hint += " So is the id of what was asked for together (`b-…`), which is decided as one."
    entries = [_batch_entry(members) for members in pending.batches]
    entries += [_entry(execution) for execution in pending.executions]
    more = (
        f" There are more: {pending.total:,} fixes wait in all."
        if pending.is_cut or len(entries) > most
        else ""
    )
    return _list("Waiting for a decision", entries[:most], hint=hint, more=more, taken=taken)


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


def build_history(executions: Sequence[PlaybookExecution], *, most: int, about: str = "") -> Message:
    """Return what was asked for and what became of it, newest first; `about` names what the list is limited to."""
    of = f" for {escape(about, 200)}" if about else ""
    if not executions:
        return Message(f"Nothing was ever asked for{of}." if about else "Nothing was ever asked for.")
    hint = "`/playbook status EXECUTION` shows one step by step."
    more = " There are more." if len(executions) > most else ""
    return _list(f"Fixes{of}", [_entry(each) for each in executions[:most]], hint=hint, more=more)


def _entry(execution: PlaybookExecution) -> _Entry:
    about = f"{escape(execution.playbook_name, _NAME_LIMIT)} for {execution.finding.handle}"
    return about, lambda room: execution_lines(execution, room)


def _batch_entry(members: Members) -> _Entry:
    about = f"{escape(members.batch.playbook_name, _NAME_LIMIT)}, {len(members.waiting)} at once"
    return about, lambda room: batch_lines(members, room)


def _list(title: str, entries: Sequence[_Entry], *, hint: str, more: str, taken: int = 0) -> Message:
    def build(room: int) -> list[Block]:
        lines = [section(said(min(room, _NAME_LIMIT))) for _, said in entries]
        return [header(title), *lines, context(hint + more)]

    words = f"{title}: {len(entries)}, the first is {entries[0][0]}.{more}"
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
