"""An execution in a window of its own, opened from the home: to read, to sign, to put back.

What is submitted carries the revision that is shown, like every button that decides.
"""

import json
from collections.abc import Sequence

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from handlers.blocks.card import CardRules, card_body
from handlers.blocks.changes import restored
from handlers.blocks.names import APPROVE_FORM, ROLL_BACK_FORM, CardRef
from handlers.blocks.parts import context, fit, join_newest, section
from handlers.blocks.pending import preview_at_length, preview_blocks, three_states
from handlers.blocks.texts import code, escape
from handlers.blocks.thread import progress_lines
from remediation.execution import PlaybookExecution, Restored
from remediation.states import PlaybookStatus

_PROGRESS_LIMIT = 2500
_PROBLEM_LIMIT = 2000
_SHORT = 2000
_TOO_LARGE = (
    "⛔ *What goes back is too large to be shown whole even here, so it cannot be signed in Slack.* "
    "Nobody should sign what they cannot see."
)
_READING = "⏳ *The resource is being read.* Where this stays, close the window and open it again."


def build_details_view(execution: PlaybookExecution, rules: CardRules) -> View:
    """Return where an execution stands, step by step."""
    lines = progress_lines(execution)
    told = [section(f"*So far*\n{join_newest(lines, _PROGRESS_LIMIT)}")] if lines else []
    return _view(execution, _body(execution, rules, told)[0])


def build_review_view(execution: PlaybookExecution, rules: CardRules) -> View:
    """Return the plan with its digest, to be signed; only to be read where it is decided or cannot be shown whole."""
    digest = execution.plan.digest if execution.plan else ""
    signed = context(f"Plan {execution.revision}, digest {code(digest, 80)}")
    blocks, is_whole = _body(execution, rules, [signed])
    if execution.status is not PlaybookStatus.PENDING or not is_whole:
        return _view(execution, blocks)
    return _view(execution, blocks, form=APPROVE_FORM, submit="Approve")


def build_reading_view(execution: PlaybookExecution, rules: CardRules) -> View:
    """Return the window of a rollback while its resource is being read; only to be read where there is nothing to put back."""
    if not execution.can_roll_back:
        return build_details_view(execution, rules)
    return _view(execution, _body(execution, rules, [section(_READING)])[0])


def build_unreadable_view(execution: PlaybookExecution, rules: CardRules, problem: str) -> View:
    """Return why nothing can be put back now: nothing in it can be submitted."""
    return _view(execution, _body(execution, rules, [section(f"⛔ {escape(problem, _PROBLEM_LIMIT)}")])[0])


def build_roll_back_view(
    execution: PlaybookExecution, rules: CardRules, settings: Sequence[Restored]
) -> View:
    """Return what a rollback would put back, in three states as read just now, to be ordered or signed; only where all of it is shown."""
    words = section(f"*Roll back this fix?*\n{escape(restored(execution), 600)}")
    if three_states(settings, _SHORT).is_whole:
        seen, is_whole = preview_blocks(settings, _SHORT), True
    else:
        seen, is_whole = preview_at_length(settings)
    blocks = [*_body(execution, rules, [])[0], *seen, words]
    if not is_whole:
        return _view(execution, [*blocks, section(_TOO_LARGE)])
    submit = "Approve rollback" if execution.rollback else "Roll back"
    return _view(execution, blocks, form=ROLL_BACK_FORM, submit=submit)


def _body(execution: PlaybookExecution, rules: CardRules, more: Sequence[Block]) -> tuple[list[Block], bool]:
    """Return the card's blocks in as much room as there is, and whether nothing of the plan was cut."""
    wholes: list[bool] = []

    def build(room: int) -> list[Block]:
        blocks, is_whole = card_body(execution, rules, room)
        wholes.append(is_whole)
        return [*blocks, *more]

    return list(fit(build)), wholes[-1]


def _view(execution: PlaybookExecution, blocks: list[Block], *, form: str = "", submit: str = "") -> View:
    ref = CardRef.of(execution)
    return View(
        type="modal",
        callback_id=form or "details",
        title=_words("Fix"),
        submit=_words(submit) if submit else None,
        close=_words("Cancel" if submit else "Close"),
        private_metadata=json.dumps({"card": ref.value, "channel": ""}),
        blocks=blocks,
    )


def _words(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)
