"""What came of a batch: the reply below its card, and what whoever asked is told."""

from handlers.blocks.batch_card import batch_headline, counted
from handlers.blocks.batch_items import item_result
from handlers.blocks.batch_said import decision_lines
from handlers.blocks.parts import Message, context, join_first, join_newest, section
from handlers.blocks.texts import code, escape, moment, place
from handlers.blocks.thread import action_line
from remediation.batches import Members
from remediation.execution import PlaybookExecution
from remediation.states import ActionStatus

_LONGEST = 2900
_TOLD = 2000
_IDLE = {ActionStatus.PLANNED, ActionStatus.SKIPPED}


def has_batch_progress(members: Members) -> bool:
    """Tell whether anything happened that is worth a reply."""
    return any(each.decisions or each.started_at for each in members.kept)


def build_batch_progress(members: Members) -> Message:
    """Return the reply: who decided, what became of each item's actions, where all of it stands."""
    tally = counted(members.executions)
    return Message(
        f"{escape(batch_headline(members), 300)}: {tally}.",
        (section(join_newest([*progress_lines(members), f"*{tally}*"], _LONGEST)),),
    )


def progress_lines(members: Members) -> list[str]:
    """Return who decided, and what became of each item's actions."""
    return [*decision_lines(members), *(_item(each) for each in members.kept if each.started_at)]


def _item(execution: PlaybookExecution) -> str:
    done = [action_line(result) for result in execution.actions if result.status not in _IDLE]
    name = code(execution.finding.resource or execution.finding.handle, 200)
    if not done:
        return f"{name}: started {moment(execution.started_at)}" if execution.started_at else name
    return f"{name}\n        " + "\n        ".join(done)


def build_batch_outcome(members: Members) -> Message:
    """Return the message: what it was, what became of each item, who decided, and where the card is."""
    batch = members.batch
    head = f"*{escape(batch_headline(members), 300)}*\n{counted(members.executions)}"
    lines = [item_result(each, batch.refused.get(each.execution_id, "")) for each in members.executions]
    words = "\n".join(
        filter(None, (head, join_first(lines, _TOLD), join_newest(decision_lines(members), 500)))
    )
    where = f"Its card is in {place(batch.channel)}  ·  " if batch.channel else ""
    text = f"{escape(batch_headline(members), 300)}: {counted(members.executions)}."
    return Message(text, (section(words), context(f"{where}{code(batch.batch_id, 80)}")))
