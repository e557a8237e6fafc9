"""The forms that ask why: a fix is rejected, or somebody approves alone."""

import json

from slack_sdk.models.blocks import (
    DatePickerElement,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    UserSelectElement,
)
from slack_sdk.models.views import View

from handlers.blocks.names import EXCEPTION_OWNER, EXCEPTION_UNTIL, GLASS_FORM, REASON, REJECT_FORM, CardRef
from handlers.blocks.parts import section

SHORTEST_REASON = 3
LONGEST_REASON = 1000


def build_reject_form(ref: CardRef, *, channel: str) -> View:
    """Return the form; it carries the card it is about and the channel to answer in."""
    return View(
        type="modal",
        callback_id=REJECT_FORM,
        title=words("Reject this fix"),
        submit=words("Reject"),
        close=words("Cancel"),
        private_metadata=json.dumps({"card": ref.value, "channel": channel}),
        blocks=[
            section("Nothing will be changed. The reason stands on the card and in the audit trail."),
            reason_field("Why should this not run?"),
            *exception_fields(),
        ],
    )


def build_glass_form(ref: CardRef, *, channel: str) -> View:
    """Return the form that asks why somebody approves alone."""
    return View(
        type="modal",
        callback_id=GLASS_FORM,
        title=words("Break the glass"),
        submit=words("Approve alone"),
        close=words("Cancel"),
        private_metadata=json.dumps({"card": ref.value, "channel": channel}),
        blocks=[
            section(
                "This fix runs now, on your word alone. Everybody is told, and a second person has to review it."
            ),
            reason_field("Why can this not wait?"),
        ],
    )


def exception_fields(*, are_many: bool = False) -> list[InputBlock]:
    """Return the fields that leave what is rejected as it is for a while; neither has to be filled in."""
    what, fix = ("findings as they are", "these fixes") if are_many else ("finding as it is", "this fix")
    return [
        InputBlock(
            block_id=EXCEPTION_UNTIL,
            label=words(f"Leave the {what}, up to and including"),
            hint=words(f"Approvers only. Until that day is over (UTC), nobody can ask for {fix}."),
            element=DatePickerElement(action_id=EXCEPTION_UNTIL),
            optional=True,
        ),
        InputBlock(
            block_id=EXCEPTION_OWNER,
            label=words("Who answers for that? Without a choice, you do"),
            element=UserSelectElement(action_id=EXCEPTION_OWNER),
            optional=True,
        ),
    ]


def refuse_reason(reason: str) -> str:
    """Return what is wrong with a reason, in words for the form; empty when nothing is."""
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        return f"Say why, in at least {SHORTEST_REASON} characters: whoever asked will read it."
    return f"At most {LONGEST_REASON} characters, please." if length > LONGEST_REASON else ""


def reason_field(label: str, *, is_first: bool = True) -> InputBlock:
    """Return the field for the reason; where it is the first one, people begin to type in it."""
    asks = PlainTextInputElement(
        action_id=REASON,
        multiline=True,
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        focus_on_load=is_first or None,
    )
    return InputBlock(block_id=REASON, label=words(label), element=asks)


def words(text: str) -> PlainTextObject:
    """Return text as a window's labels take it."""
    return PlainTextObject(text=text, emoji=False)
