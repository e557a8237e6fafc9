"""What still waits for a person beside the decision itself: a rollback to be signed, broken glass to be reviewed."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from handlers.blocks.changes import Shown
from handlers.blocks.parts import join_first, section
from handlers.blocks.texts import code, escape, fits, listed, mention, moment
from remediation.actions.contract import show_value
from remediation.execution import PlaybookExecution, Restored, RollbackRequest
from remediation.rollback import rollback_signatures, rollback_signers

_MOST_SIGNERS = 10
_SHORTEST_VALUE, _LONGEST_NAME = 120, 120
_PIECE, _PIECE_ESCAPED = 900, 2800  # of a long value, before and after it is escaped
_MOST_PIECES = 50  # a window takes a hundred blocks
_AT_THIS_MOMENT = "*What goes back*, as it is at this moment:"
_CUT = "⚠️ *Not all of it fits here, so it is not signed here.* The rollback's own window shows every value whole."


def emergency_blocks(execution: PlaybookExecution) -> list[Block]:
    """Return what an approver has to know of broken glass that nobody has reviewed."""
    glass = execution.unreviewed
    if glass is None:
        return []
    until = f" until {moment(execution.review_due_at)}" if execution.review_due_at else ""
    words = (
        f"🚨 *{mention(glass.actor)} broke the glass and approved this alone:* {escape(glass.reason, 500)}"
    )
    return [section(f"{words}\nA second approver has to review it{until}.")]


def rollback_blocks(execution: PlaybookExecution, *, needed: int, room: int) -> list[Block]:
    """Return the rollback that waits: who asked, who has signed, and each setting that goes back."""
    asked = execution.rollback
    if asked is None:
        return []
    head = f"*{rollback_sentence(execution, asked, needed=needed)}* What goes back, as it was read then:"
    states = three_states(asked.settings, room)
    return [section(f"{head}\n{states.text}"), *([] if states.is_whole else [section(_CUT)])]


def shows_rollback(execution: PlaybookExecution, *, room: int) -> bool:
    """Tell whether all that goes back stands there: nobody signs what was cut."""
    return execution.rollback is None or three_states(execution.rollback.settings, room).is_whole


def rollback_sentence(execution: PlaybookExecution, asked: RollbackRequest, *, needed: int) -> str:
    """Return who asked for the rollback that waits, who has signed it, and until when it may be signed."""
    signers = [mention(decision.actor) for decision in rollback_signatures(execution)][:_MOST_SIGNERS]
    by = f" ({listed(signers)})" if signers else ""
    return (
        f"Rollback asked for by {mention(asked.requester)}. {rollback_signers(execution)} of {needed} approvals{by}, "
        f"until {moment(asked.expires_at)}."
    )


def preview_blocks(settings: Sequence[Restored], room: int) -> list[Block]:
    """Return what a rollback would put back, as it was read just now."""
    return [section(f"{_AT_THIS_MOMENT}\n{three_states(settings, room).text}")]


def preview_at_length(settings: Sequence[Restored]) -> tuple[list[Block], bool]:
    """Return the same for a window, long values in pieces; and whether nothing of it had to be cut even so."""
    pieces = [piece for each in settings for piece in _pieces(each)]
    blocks: list[Block] = [section(_AT_THIS_MOMENT), *(section(each.text) for each in pieces[:_MOST_PIECES])]
    return blocks, len(pieces) <= _MOST_PIECES and all(each.is_whole for each in pieces)


def three_states(settings: Sequence[Restored], room: int) -> Shown:
    """Return each setting with its value before the fix, the one the fix set, and the one it has now."""
    lines = [_line(each, max(_SHORTEST_VALUE, room // 4)) for each in settings]
    text = join_first([each.text for each in lines], room)
    return Shown(
        text, text == "\n".join(each.text for each in lines) and all(each.is_whole for each in lines)
    )


def _line(each: Restored, room: int) -> Shown:
    values = [show_value(value) for value in (each.was, each.we_set, each.now)]
    was, we_set, now = (code(value, room) for value in values)
    is_whole = fits(each.setting, _LONGEST_NAME - 2) and all(fits(value, room - 2) for value in values)
    name = code(each.setting, _LONGEST_NAME)
    return Shown(f"• {name}  was {was}, we set {we_set}, now {now}: back to {was}", is_whole)


def _pieces(each: Restored) -> list[Shown]:
    head = f"• {code(each.setting, _PIECE_ESCAPED)}  goes back to what it was"
    pieces = [Shown(head, fits(each.setting, _PIECE_ESCAPED - 2))]
    for name, value in (("was", each.was), ("we set", each.we_set), ("now", each.now)):
        pieces += [
            Shown(f"{name} {code(part, _PIECE_ESCAPED)}", fits(part, _PIECE_ESCAPED - 2))
            for part in _parts(show_value(value))
        ]
    return pieces


def _parts(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] or [""]
