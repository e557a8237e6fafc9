"""Private lists of executions: what waits, and what was done."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from handlers.blocks.parts import Message, context, fit, header, section
from handlers.blocks.states import wording
from handlers.blocks.texts import code, escape, mention, moment, place, severity_words
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus

_NAME_LIMIT = 120


def build_pending(executions: Sequence[PlaybookExecution], *, most: int) -> Message:
    """Return what waits for a decision, at most `most` of them, those whose time ends first first."""
    if not executions:
        return Message("Nothing waits for a decision.")
    hint = (
        "`/playbook approve EXECUTION` shows a plan and lets you sign it. The beginning of an id is enough."
    )
    return _list("Waiting for a decision", executions, most=most, hint=hint)


def build_history(executions: Sequence[PlaybookExecution], *, most: int, about: str = "") -> Message:
    """Return what was asked for and what became of it, newest first; `about` names what the list is limited to."""
    of = f" for {escape(about, 200)}" if about else ""
    if not executions:
        return Message(f"Nothing was ever asked for{of}." if about else "Nothing was ever asked for.")
    hint = "`/playbook status EXECUTION` shows one step by step."
    return _list(f"Fixes{of}", executions, most=most, hint=hint)


def _list(title: str, executions: Sequence[PlaybookExecution], *, most: int, hint: str) -> Message:
    shown = executions[:most]
    more = " There are more." if len(executions) > most else ""

    def build(room: int) -> list[Block]:
        lines = [section(execution_lines(execution, min(room, _NAME_LIMIT))) for execution in shown]
        return [header(title), *lines, context(hint + more)]

    first = f"{escape(shown[0].playbook_name, _NAME_LIMIT)} for {shown[0].finding.handle}"
    return Message(f"{title}: {len(shown)}, the first is {first}.{more}", fit(build))


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
