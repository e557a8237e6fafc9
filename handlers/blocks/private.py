"""An execution shown to one person alone: where it stands, or what they would sign or put back.

The buttons carry the revision that is shown, exactly like those of the card: a plan that was drawn up anew meanwhile is not signed.
"""

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from handlers.blocks.buttons import execution_button, roll_back_button
from handlers.blocks.card import CardRules, card_body
from handlers.blocks.names import APPROVE_HERE, BREAK_GLASS, REFUSE_ROLLBACK, ROLL_BACK_HERE
from handlers.blocks.parts import Message, context, fit, join_newest, section
from handlers.blocks.pending import preview_blocks, three_states
from handlers.blocks.states import headline, status_sentence
from handlers.blocks.texts import code, escape, place
from handlers.blocks.thread import progress_lines
from remediation.execution import PlaybookExecution, Restored

_TEXT_LIMIT = 900
_PROGRESS_LIMIT = 1500


def build_status(execution: PlaybookExecution, rules: CardRules) -> Message:
    """Return where an execution stands, step by step, without buttons."""

    def build(room: int) -> list[Block]:
        blocks, _ = card_body(execution, rules, room)
        lines = progress_lines(execution)
        told = section(f"*So far*\n{join_newest(lines, min(4 * room, _PROGRESS_LIMIT))}")
        return [*blocks, *([told] if lines else []), _where(execution)]

    return Message(_summary(execution), fit(build))


def build_to_sign(execution: PlaybookExecution, rules: CardRules) -> Message:
    """Return the plan as it stands with its digest, and a button that signs this revision and no other.

    A plan that is too large to be shown whole has no button.
    """

    def build(room: int) -> list[Block]:
        blocks, is_whole = card_body(execution, rules, room)
        asks = section("Nothing is signed yet. The button signs exactly this plan, and is yours alone.")
        buttons = [execution_button(execution, APPROVE_HERE, "Approve", style="primary")]
        if rules.allows_breaking_glass and execution.batch_id:  # others have it on their card
            buttons.append(execution_button(execution, BREAK_GLASS, "Break glass…", style="danger"))
        return [
            *blocks,
            *([asks, _actions(*buttons)] if is_whole else []),
            _digest(execution),
            _where(execution),
        ]

    return Message(_summary(execution), fit(build))


def build_to_roll_back(
    execution: PlaybookExecution, rules: CardRules, settings: Sequence[Restored]
) -> Message:
    """Return what a rollback would put back, in three states as read just now, and a button that asks once more."""

    def build(room: int) -> list[Block]:
        blocks, _ = card_body(execution, rules, room)
        asks = section("Nothing is put back yet. The button says what would be restored, and asks once more.")
        can_sign = three_states(settings, room).is_whole
        buttons = [roll_back_button(execution, ROLL_BACK_HERE, can_sign=can_sign)]
        if execution.rollback:
            buttons.append(execution_button(execution, REFUSE_ROLLBACK, "Refuse rollback", style="danger"))
        seen = preview_blocks(settings, room)
        return [*blocks, *seen, asks, _actions(*buttons), _where(execution)]

    return Message(_summary(execution), fit(build))


def build_signed(execution: PlaybookExecution) -> Message:
    """Return what a person reads in place of the plan they have just signed."""
    words = f"Your signature on {escape(execution.playbook_name, 200)} is recorded."
    return _in_place(execution, words)


def build_rollback_ordered(execution: PlaybookExecution) -> Message:
    """Return what a person reads in place of the rollback they have just ordered."""
    if execution.rollback:
        return _in_place(execution, "The rollback waits for another person's signature.")
    return _in_place(execution, f"The rollback of {escape(execution.playbook_name, 200)} is under way.")


def build_rejected(execution: PlaybookExecution) -> Message:
    """Return what a person reads who has rejected by typing."""
    words = f"{escape(execution.playbook_name, 200)} is rejected. Nothing was changed."
    return Message(f"{words} {_card_place(execution)}".strip())


def _in_place(execution: PlaybookExecution, words: str) -> Message:
    text = f"{words} {_card_place(execution)}".strip()
    return Message(text, (section(text),), replaces=True)


def _card_place(execution: PlaybookExecution) -> str:
    return f"Its card is in {place(execution.channel)}." if execution.channel else ""


def _summary(execution: PlaybookExecution) -> str:
    words = f"{headline(execution)} for {execution.finding.handle}"
    return f"{escape(words, _TEXT_LIMIT)}: {status_sentence(execution, room=_TEXT_LIMIT)}"


def _digest(execution: PlaybookExecution) -> Block:
    digest = execution.plan.digest if execution.plan else ""
    return context(f"Plan {execution.revision}, digest {code(digest, 80)}")


def _where(execution: PlaybookExecution) -> Block:
    return context(f"{code(execution.execution_id, 80)}  ·  {_card_place(execution)}".removesuffix("  ·  "))


def _actions(*buttons: ButtonElement) -> ActionsBlock:
    return ActionsBlock(block_id="decide", elements=list(buttons))
