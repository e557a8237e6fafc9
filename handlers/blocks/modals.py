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
        title=_words("Reject this fix"),
        submit=_words("Reject"),
        close=_words("Cancel"),
        private_metadata=json.dumps({"card": ref.value, "channel": channel}),
        blocks=[
            section("Nothing will be changed. The reason stands on the card and in the audit trail."),
            _reason("Why should this not run?"),
            InputBlock(
                block_id=EXCEPTION_UNTIL,
                label=_words("Leave the finding as it is, up to and including"),
                hint=_words("Approvers only. Until that day is over (UTC), nobody can ask for this fix."),
                element=DatePickerElement(action_id=EXCEPTION_UNTIL),
                optional=True,
            ),
            InputBlock(
                block_id=EXCEPTION_OWNER,
                label=_words("Who answers for that? Without a choice, you do"),
                element=UserSelectElement(action_id=EXCEPTION_OWNER),
                optional=True,
            ),
        ],
    )


def build_glass_form(ref: CardRef, *, channel: str) -> View:
    """Return the form that asks why somebody approves alone."""
    return View(
        type="modal",
        callback_id=GLASS_FORM,
        title=_words("Break the glass"),
        submit=_words("Approve alone"),
        close=_words("Cancel"),
        private_metadata=json.dumps({"card": ref.value, "channel": channel}),
        blocks=[
            section(
                "This fix runs now, on your word alone. Everybody is told, and a second person has to review it."
            ),
            _reason("Why can this not wait?"),
        ],
    )


def refuse_reason(reason: str) -> str:
    """Return what is wrong with a reason, in words for the form; empty when nothing is."""
    length = len(reason.strip())
    if length < SHORTEST_REASON:
        return f"Say why, in at least {SHORTEST_REASON} characters: whoever asked will read it."
    return f"At most {LONGEST_REASON} characters, please." if length > LONGEST_REASON else ""


def _reason(label: str) -> InputBlock:
    """Return the field for the reason, in which people begin to type."""
    asks = PlainTextInputElement(
        action_id=REASON,
        multiline=True,
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        focus_on_load=True,
    )
    return InputBlock(block_id=REASON, label=_words(label), element=asks)


def _words(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)
