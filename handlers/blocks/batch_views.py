"""The windows of a batch: every change whole, which items to keep, and why not."""

import json
from collections.abc import Sequence

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
)
from slack_sdk.models.views import View

from handlers.blocks.batch_items import item_result, whole_item
from handlers.blocks.modals import exception_fields, reason_field, words
from handlers.blocks.names import (
    BATCH_APPROVE_FORM,
    BATCH_CHOOSE_FORM,
    BATCH_REJECT_FORM,
    BatchRef,
)
from handlers.blocks.parts import SECTION_LIMIT, section
from handlers.blocks.texts import code, escape, plain, severity_words
from remediation.batches import Members, set_digest
from remediation.execution import PlaybookExecution

ITEM_ROOM = 1500
_PER_CHECKBOXES = 10
_MOST_LEFT_OUT = 30
KEPT = "kept"


def fits_window(members: Members) -> bool:
    """Tell whether the window shows every change of what waits whole."""
    return all(whole_item(each, room=ITEM_ROOM).is_whole for each in members.waiting)


def build_changes_view(members: Members, *, channel: str) -> View:
    """Return every item with its changes; to be approved where it waits and nothing of it was cut."""
    waiting = members.waiting
    shown = waiting or members.executions
    blocks: list[Block] = [section(_lead(members))]
    blocks += [section(_item(members, each)) for each in shown]
    blocks += _left_out(members)
    can_approve = bool(waiting) and fits_window(members)
    if waiting and not can_approve:
        blocks.append(section("⚠️ *Not every change could be shown whole, so nothing can be approved here.*"))
    return View(
        type="modal",
        callback_id=BATCH_APPROVE_FORM if can_approve else "details",
        title=words("All changes"),
        submit=words(f"Approve all {len(waiting)}") if can_approve else None,
        close=words("Cancel" if can_approve else "Close"),
        private_metadata=_carried(members, channel),
        blocks=blocks,
    )


def build_choose_view(members: Members, *, channel: str) -> View:
    """Return the waiting items with a tick each: what loses its tick is taken out."""
    waiting = members.waiting
    parts = [waiting[at : at + _PER_CHECKBOXES] for at in range(0, len(waiting), _PER_CHECKBOXES)]
    return View(
        type="modal",
        callback_id=BATCH_CHOOSE_FORM,
        title=words("Choose"),
        submit=words("Take out"),
        close=words("Cancel"),
        private_metadata=_carried(members, channel),
        blocks=[
            section(
                "Take the tick off what should *not* be fixed. It is rejected with your reason, on record; the others "
                "wait on, as a new set to approve. Nothing is changed by this."
            ),
            *(_boxes(number, part) for number, part in enumerate(parts)),
            reason_field("Why are they taken out?", is_first=False),
            *exception_fields(are_many=True),
        ],
    )


def build_reject_view(members: Members, *, channel: str) -> View:
    """Return the form that asks why the whole batch is rejected."""
    count = len(members.waiting)
    return View(
        type="modal",
        callback_id=BATCH_REJECT_FORM,
        title=words("Reject this batch"),
        submit=words("Reject"),
        close=words("Cancel"),
        private_metadata=_carried(members, channel),
        blocks=[
            section(
                f"All {count} items are rejected and nothing is changed. The reason stands on the card and in the audit trail."
            ),
            reason_field("Why should this not run?"),
            *exception_fields(are_many=True),
        ],
    )


def checked_field(number: int) -> str:
    """Return the name of a form's field of ticks."""
    return f"{KEPT}_{number}"


def _lead(members: Members) -> str:
    name, waiting = escape(members.batch.playbook_name, 200), members.waiting
    if not waiting:
        return f"*{name}*: how each item stands."
    digest = set_digest(members.batch.batch_id, waiting)
    return (
        f"*{name}*: {len(waiting)} items wait, and this is all that would change (before → after). "
        f"Approving signs exactly this set: {code(digest, 80)}"
    )


def _item(members: Members, execution: PlaybookExecution) -> str:
    whole = whole_item(execution, room=ITEM_ROOM)
    if members.waiting:
        named = f"{whole.text}\n{code(execution.execution_id, 80)}"
        text = named if len(named) <= SECTION_LIMIT else whole.text
        return text if whole.is_whole else f"⚠️ *Too large to be shown whole*\n{whole.text}"
    result = item_result(execution, members.batch.refused.get(execution.execution_id, ""))
    changes = whole.text.partition("```")
    return f"{result}  {code(execution.execution_id, 80)}\n{changes[1]}{changes[2]}"[:2990]


def _left_out(members: Members) -> list[Block]:
    lines = [
        f"• {code(each.finding, 40)} {code(each.resource, 120) if each.resource else ''}: {escape(each.why, 200)}"
        for each in members.batch.left_out
    ]
    parts = [lines[at : at + 7] for at in range(0, len(lines), 7)][:_MOST_LEFT_OUT]
    return [
        section(("*Asked for, and left out*\n" if not number else "") + "\n".join(part))
        for number, part in enumerate(parts)
    ]


def _boxes(number: int, executions: Sequence[PlaybookExecution]) -> InputBlock:
    options = [_option(each) for each in executions]
    return InputBlock(
        block_id=checked_field(number),
        label=words("To be fixed" if number == 0 else "and"),
        element=CheckboxesElement(action_id=checked_field(number), options=options, initial_options=options),
        optional=True,
    )


def _option(execution: PlaybookExecution) -> Option:
    finding = execution.finding
    name = finding.resource.rpartition(":")[2] or finding.title
    about = "  ".join(
        filter(None, (severity_words(finding.severity), finding.account_id, finding.region, finding.handle))
    )
    return Option(
        value=execution.execution_id,
        text=words(plain(name, 75) or finding.handle),
        description=words(plain(about, 75)),
    )


def _carried(members: Members, channel: str) -> str:
    waiting = members.waiting
    digest = set_digest(members.batch.batch_id, waiting) if waiting else ""
    ref = BatchRef(members.batch.batch_id, digest)
    return json.dumps({"card": ref.value, "channel": channel})
