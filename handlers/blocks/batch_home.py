"""A batch on somebody's home: one entry for all of its items."""

from collections import Counter

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, PlainTextObject

from audit.findings import Severity
from handlers.blocks.names import BATCH_CHANGES, BATCH_REJECT, BatchRef
from handlers.blocks.parts import section
from handlers.blocks.texts import code, escape, mention, moment, place, plain, severity_words
from remediation.batches import Members, set_digest

_NAME = 150


def home_batch(members: Members) -> list[Block]:
    """Return a batch that waits for somebody: what, how much of it, who asked, and two buttons."""
    buttons = [
        _button(members, BATCH_CHANGES, "Review and approve", style="primary"),
        _button(members, BATCH_REJECT, "Reject all…", style="danger"),
    ]
    block_id = f"batch-{members.batch.batch_id}"[:255]
    return [section(batch_lines(members, _NAME)), ActionsBlock(block_id=block_id, elements=buttons)]


def batch_lines(members: Members, room: int) -> str:
    """Return a batch in three lines: what and how much of it waits, how bad, who asked and until when."""
    batch, waiting = members.batch, members.waiting
    severities = Counter(each.finding.severity for each in waiting)
    levels = [f"{severity_words(level)}: {severities[level]}" for level in Severity if severities[level]]
    until = moment(min(each.expires_at for each in waiting))
    return (
        f"⏳ *{escape(batch.playbook_name, room)}, {len(waiting)} at once*  {code(batch.batch_id, 80)}\n"
        f"{'  ·  '.join(levels)}\n"
        f"Waiting for approval. Asked for by {mention(batch.requester)}, card in {place(batch.channel)}. "
        f"Time to decide until {until}"
    )


def _button(members: Members, action_id: str, text: str, *, style: str) -> ButtonElement:
    ref = BatchRef(members.batch.batch_id, set_digest(members.batch.batch_id, members.waiting))
    return ButtonElement(
        text=PlainTextObject(text=text, emoji=False),
        action_id=action_id,
        value=ref.value,
        style=style,
        accessibility_label=plain(f"{text.rstrip('…')}: {members.batch.playbook_name}", 75),
    )
