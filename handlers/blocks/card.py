"""The card: everything an approver has to see, and where the execution stands."""

from dataclasses import dataclass

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    DividerBlock,
    SectionBlock,
)

from handlers.blocks.buttons import card_buttons
from handlers.blocks.changes import Shown, compare, compare_actions, plans_of, resource_limit
from handlers.blocks.parts import Message, context, fields, fit, header, join_first, join_newest, section
from handlers.blocks.pending import emergency_blocks, rollback_blocks, shows_rollback
from handlers.blocks.states import headline, rollback_fact, status_sentence, wording
from handlers.blocks.texts import code, escape, linkify, mention, moment, plain, severity_words
from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.policy import count_people
from remediation.states import PlaybookStatus

_TITLE_LIMIT = 300
_DECISIONS_LIMIT = 2800
_NOTE_LIMIT = 300
VERBS = {
    Verdict.APPROVE: "Approved by",
    Verdict.REJECT: "Rejected by",
    Verdict.ROLL_BACK: "Rollback ordered by",
    Verdict.DONE: "Found done by",
    Verdict.NOT_DONE: "Found not done by",
    Verdict.TRY_AGAIN: "Tried again for",
    Verdict.ASK_ROLLBACK: "Rollback asked for by",
    Verdict.SIGN_ROLLBACK: "Rollback approved by",
    Verdict.REFUSE_ROLLBACK: "Rollback refused by",
    Verdict.BREAK_GLASS: "🚨 Glass broken by",
    Verdict.REVIEWED: "Broken glass reviewed by",
}
_OVERSIZED = (
    "⚠️ *This plan is too large to be shown whole, so it cannot be approved here.* "
    "Nobody should sign what they cannot see. The whole plan is a file in this thread."
)
_SELF_APPROVAL = "⚠️ The policy lets requesters approve their own fixes."


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRules:
    """What a card says about the rules in force for its execution, and about where it is.

    `approvers` says in our own words who may approve, ids marked with an at sign: those people are told by the card. `rule` says what the
    rule is about that decides, empty where none does.
    """

    required_approvals: int = 1
    approvers: str = ""
    rule: str = ""
    allows_self_approval: bool = False
    allows_breaking_glass: bool = False
    rollback_approvals: int = 1
    environment: str = ""


def build_card(execution: PlaybookExecution, rules: CardRules) -> Message:
    """Return the card of an execution as it stands."""
    title = plain(execution.finding.title, _TITLE_LIMIT)
    text = escape(f"{headline(execution)}. {title} ({execution.finding.resource})", 900)
    return Message(text, fit(lambda room: _card(execution, rules, room)))


def is_oversized(card: Message) -> bool:
    """Tell whether a card that waits for a signature has no room for its whole plan."""
    texts = (block.text for block in card.blocks if isinstance(block, SectionBlock))
    return any(text is not None and text.text == _OVERSIZED for text in texts)


def build_superseded_card(execution: PlaybookExecution) -> Message:
    """Return what is left of a card whose plan was drawn up anew."""
    name = f"Superseded: {execution.playbook_name}"
    words = "🔁 *The resource changed. A newer card shows what changed.* Decisions made here no longer count."
    blocks = (header(name), section(words), section(_finding(execution)), _small_print(execution))
    return Message(escape(f"{name}. A newer card shows what changed.", 400), blocks)


def build_plain_card(execution: PlaybookExecution) -> Message:
    """Return the card in words alone, for when Slack refuses the blocks. Nobody can approve from it."""
    name, handle = escape(execution.playbook_name, 200), execution.finding.handle
    words = "This card could not be shown in full, so it has no buttons."
    text = f"*{name}* for {handle}: {status_sentence(execution)} {words}"
    return Message(text, (section(text),))


def _card(execution: PlaybookExecution, rules: CardRules, room: int) -> list[Block]:
    blocks, is_whole = card_body(execution, rules, room)
    can_sign = shows_rollback(execution, room=room)
    buttons = card_buttons(
        execution,
        can_approve=is_whole,
        can_sign=can_sign,
        can_break_glass=is_whole and rules.allows_breaking_glass,
    )
    actions = [ActionsBlock(block_id="decide", elements=buttons)] if buttons else []
    return [*blocks, *actions, _small_print(execution, rules)]


def card_body(execution: PlaybookExecution, rules: CardRules, room: int) -> tuple[list[Block], bool]:
    """Return a card without its buttons, and whether it shows the whole plan: nobody signs one that is cut."""
    comparisons = compare_actions(execution, room=room)
    is_whole = all(comparison.is_whole for comparison in comparisons)
    blocks: list[Block] = [header(headline(execution)), section(_status(execution, rules, room))]
    if execution.drift and execution.status is PlaybookStatus.PENDING:
        drift = compare(execution.drift, room=room // 2)
        blocks.append(section(f"*Changed since you last looked* (was → is now)\n{drift.text}"))
    blocks += [section(_finding(execution, room)), fields(_facts(execution, rules, room)), DividerBlock()]
    blocks += _comparison(execution, comparisons)
    blocks += _advice(execution, room)
    if execution.decisions:
        blocks.append(section(join_newest(_decisions(execution), min(4 * room, _DECISIONS_LIMIT))))
    if execution.status is PlaybookStatus.PENDING and not is_whole:
        blocks.append(section(_OVERSIZED))
    blocks += [
        *emergency_blocks(execution),
        *rollback_blocks(execution, needed=rules.rollback_approvals, room=room),
    ]
    return blocks, is_whole


def _status(execution: PlaybookExecution, rules: CardRules, room: int) -> str:
    """Return the state; while it waits, how many have signed and until when."""
    sentence = status_sentence(execution, room=4 * room)
    if execution.status is not PlaybookStatus.PENDING:
        return sentence
    signed = f"{_signers(execution)} of {max(1, rules.required_approvals)} approvals"
    until = f"until {moment(execution.expires_at)}"
    who = f"\nMay approve: {linkify(escape(rules.approvers, room))}." if rules.approvers else ""
    who += f" By the rule for: {escape(rules.rule, room)}." if rules.rule else ""
    return f"{sentence} {signed}, {until}.{who}" + (
        f"\n{_SELF_APPROVAL}" if rules.allows_self_approval else ""
    )


def _signers(execution: PlaybookExecution) -> int:
    """Return how many people have signed the plan as it stands."""
    return count_people(decision.actor for decision in execution.approvals)


def _finding(execution: PlaybookExecution, room: int = _TITLE_LIMIT) -> str:
    finding = execution.finding
    return f"*{escape(finding.title, min(2 * room, _TITLE_LIMIT))}*  {code(finding.handle, 40)}"


def _facts(execution: PlaybookExecution, rules: CardRules, room: int) -> list[tuple[str, str]]:
    finding = execution.finding
    region = next((action.target.region for action in plans_of(execution)), "") or finding.region
    return [
        ("Severity", severity_words(finding.severity)),
        ("Requested by", mention(execution.requester)),
        ("Account", _known(finding.account_id, 100)),
        ("Region", _known(region, 100)),
        ("Resource", _known(finding.resource, resource_limit(room))),
        rollback_fact(execution, approvals=rules.rollback_approvals),
    ]


def _known(text: str, limit: int) -> str:
    return code(text, limit) if text else "not named"


def _comparison(execution: PlaybookExecution, comparisons: list[Shown]) -> list[Block]:
    """Return the comparison; its title stands above the first action."""
    if not comparisons:
        return [section(f"*{wording(execution).changes}*\nNothing.")]
    texts = [comparison.text for comparison in comparisons]
    texts[0] = f"*{wording(execution).changes}* (before → after)\n{texts[0]}"
    return [section(text) for text in texts]


def _advice(execution: PlaybookExecution, room: int) -> list[Block]:
    untouched = [item for plan in plans_of(execution) for item in plan.untouched]
    notes = [note for plan in plans_of(execution) for note in plan.notes]
    blocks: list[Block] = []
    if untouched:
        blocks.append(section(f"*Stays as it is*\n{escape(', '.join(untouched), room)}"))
    if notes:
        lines = [f"• {escape(note, _NOTE_LIMIT)}" for note in notes]
        blocks.append(section(f"*Good to know*\n{join_first(lines, room)}"))
    return blocks


def _decisions(execution: PlaybookExecution) -> list[str]:
    """Return who decided and when; signatures that a newer plan voided are marked."""
    return [_decision(decision, execution) for decision in execution.decisions]


def _decision(decision: Decision, execution: PlaybookExecution) -> str:
    void = " (void: the plan has changed since)" if decision.revision != execution.revision else ""
    reason = f": {escape(decision.reason, 180)}" if decision.reason else ""
    return f"{VERBS[decision.verdict]} {mention(decision.actor)}, {moment(decision.at)}{reason}{void}"


def _small_print(execution: PlaybookExecution, rules: CardRules | None = None) -> Block:
    parts = [code(execution.execution_id, 80), code(execution.playbook_id, 80)]
    if execution.revision > 1:
        parts.append(f"plan {execution.revision}")
    if rules and rules.environment:
        parts.append(escape(rules.environment, 40))
    return context("  ·  ".join(parts))
