"""The card of a batch: who asked for what, each item with its exact before → after, and where every one stands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    DividerBlock,
)

from audit.findings import Severity
from handlers.blocks.batch_buttons import decision_buttons, rollback_buttons
from handlers.blocks.batch_items import group, item_line, item_notes, item_result, item_state
from handlers.blocks.batch_said import decision_lines, rollback_blocks, signed_so_far
from handlers.blocks.parts import Message, context, fields, fit, header, join_first, join_newest, section
from handlers.blocks.states import rollback_fact, wording
from handlers.blocks.texts import code, escape, linkify, mention, moment, severity_words
from remediation.batches import Members, set_digest
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus

_SECTION = 2900
_NAMED = 3
_MOST_SECTIONS = 6  # of items that change alike; what does not fit is in the window
_TOO_LARGE = "The changes are too many to stand here whole. *All changes* shows every one, and is where they are approved."
_NEVER = (
    "⚠️ *An item is too large to be shown whole, so this cannot be approved.* Take it out with *Choose*, and ask for it "
    "by itself. Nobody should sign what they cannot see."
)
_SELF_APPROVAL = "⚠️ The policy lets requesters approve their own fixes."
_GLASS = (
    "🚨 Nobody breaks the glass for several at once. In an emergency `/playbook approve` with an item's own id (*All changes* names each) "
    "shows that one, with the button."
)
_ENDED = {PlaybookStatus.REJECTED, PlaybookStatus.EXPIRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What some of the items take: how many signatures, and by whom (ids marked with an at sign)."""

    required_approvals: int
    approvers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRules:
    """What the card says about the rules in force: by execution id what an item takes, and the rest for all of them."""

    asked: dict[str, Asked]
    rollback_approvals: int = 1
    allows_self_approval: bool = False
    allows_breaking_glass: bool = False
    environment: str = ""


@dataclass(slots=True)
class _Seen:
    """Whether all that would be signed stands on the card."""

    is_whole: bool = True


def build_batch_card(members: Members, rules: BatchRules, *, fits_window: bool) -> Message:
    """Return the card of a batch as it stands; `fits_window` tells whether the window shows every change whole."""
    name = batch_headline(members)
    text = escape(f"{name}. {counted(members.executions)}", 900)
    return Message(text, fit(lambda room: _card(members, rules, room, fits_window=fits_window)))


def build_plain_batch_card(members: Members) -> Message:
    """Return the card in words alone, for when Slack refuses the blocks. Nobody can approve from it."""
    words = "This card could not be shown in full, so it has no buttons."
    text = f"*{escape(batch_headline(members), 300)}*: {counted(members.executions)}. {words}"
    return Message(text, (section(text),))


def batch_headline(members: Members) -> str:
    """Return the verb, the playbook's name and how many, as plain text."""
    count = len(members.waiting or members.executions)
    return f"{_verb(members)}: {members.batch.playbook_name}, {count} at once"


def _verb(members: Members) -> str:
    if members.waiting:
        return "Approve"
    if any(each.status is PlaybookStatus.ROLLING_BACK for each in members.kept):
        return "Rolling back"
    if members.is_busy:
        return "Running"
    ran = [each for each in members.kept if each.status not in _ENDED]
    verbs = {wording(each).verb for each in ran or members.kept}
    return verbs.pop() if len(verbs) == 1 else "Done" if ran else "Closed"


@dataclass(frozen=True, slots=True)
class BatchBody:
    """A card without its buttons: whether all that would be signed stands on it, and all of the rollback that waits."""

    blocks: list[Block]
    is_whole: bool
    shows_rollback: bool


def _card(members: Members, rules: BatchRules, room: int, *, fits_window: bool) -> list[Block]:
    body = batch_body(members, rules, room, fits_window=fits_window)
    buttons = list(decision_buttons(members, is_whole=body.is_whole, fits_window=fits_window))
    if members.returnable and not members.waiting and not members.is_busy:
        buttons += rollback_buttons(members, is_whole=body.shows_rollback)
    actions = [ActionsBlock(block_id="decide", elements=buttons)] if buttons else []
    return [*body.blocks, *actions, _small_print(members, rules)]


def batch_body(members: Members, rules: BatchRules, room: int, *, fits_window: bool) -> BatchBody:
    """Return a card without its buttons. It is whole only where every item fits the window, too."""
    seen = _Seen()
    shown, rest = _split(members)
    blocks: list[Block] = [header(batch_headline(members)), section(_status(members, rules, room))]
    blocks += [fields(_facts(members, shown, rules)), DividerBlock()]
    blocks += _changes(members, shown, room, seen)
    if rest:
        lines = [item_result(each, members.batch.refused.get(each.execution_id, "")) for each in rest]
        blocks.append(section(f"*No longer part of it*\n{join_first(lines, min(2 * room, _SECTION - 40))}"))
    blocks += _advice(shown, room)
    going_back, shows_rollback = rollback_blocks(members, needed=rules.rollback_approvals, room=room)
    blocks += going_back
    if lines := decision_lines(members):
        blocks.append(section(join_newest(lines, min(4 * room, _SECTION))))
    blocks += _left_out(members, room)
    if members.waiting and not seen.is_whole:
        blocks.append(section(_TOO_LARGE if fits_window else _NEVER))
    return BatchBody(blocks, seen.is_whole and fits_window, shows_rollback)


def _split(members: Members) -> tuple[list[PlaybookExecution], list[PlaybookExecution]]:
    """Return the items that this is about now, and those that no longer are: taken out, out of time, on a card of their own."""
    if members.waiting:
        shown = list(members.waiting)
    else:
        shown = [each for each in members.kept if each.status not in _ENDED] or list(members.kept)
    names = {each.execution_id for each in shown}
    return shown, [each for each in members.executions if each.execution_id not in names]


def _status(members: Members, rules: BatchRules, room: int) -> str:
    """Return how many stand where; while any waits, who may sign it and until when."""
    if not members.waiting:
        return "  ·  ".join(_tally(members.executions))
    count = len(members.waiting)
    until = moment(min(each.expires_at for each in members.waiting))
    lines = [f"⏳ *{count} {'wait' if count > 1 else 'waits'} for approval*, until {until}."]
    lines += [
        f"{signed}. May approve: {linkify(escape(who, room))}."
        for signed, who in signed_so_far(members.waiting, rules.asked)
    ]
    lines += [_SELF_APPROVAL] if rules.allows_self_approval else []
    return "\n".join([*lines, *([_GLASS] if rules.allows_breaking_glass else [])])


def _tally(executions: Sequence[PlaybookExecution]) -> Iterator[str]:
    """Yield how many items stand where, such as ✅ 2 fixed."""
    for state, count in Counter(map(item_state, executions)).items():
        sign, _, words = state.partition(" ")
        first, _, more = words.strip("*").partition("*")
        yield f"{sign} *{count} {first.lower()}*{more}"


def counted(executions: Sequence[PlaybookExecution]) -> str:
    """Return how many items stand where, as plain words."""
    return ", ".join(part.replace("*", "") for part in _tally(executions))


def _facts(members: Members, shown: Sequence[PlaybookExecution], rules: BatchRules) -> list[tuple[str, str]]:
    severities = Counter(each.finding.severity for each in shown)
    worst_first = [f"{severity_words(level)}: {severities[level]}" for level in Severity if severities[level]]
    back = Counter(rollback_fact(each, approvals=rules.rollback_approvals) for each in shown)
    (name, value), _ = back.most_common(1)[0]
    return [
        ("Requested by", mention(members.batch.requester)),
        ("Severity", "\n".join(worst_first)),
        ("Accounts", _names(each.finding.account_id for each in shown)),
        ("Regions", _names(map(_region, shown))),
        ("Resources", str(len(shown))),
        (name, value if len(back) == 1 else "Not the same for all: see each item"),
    ]


def _region(execution: PlaybookExecution) -> str:
    plans = execution.plan.actions if execution.plan else ()
    return next((plan.target.region for plan in plans), "") or execution.finding.region


def _names(values: Iterator[str]) -> str:
    known = sorted({value for value in values if value})
    return join_first([code(value, 60) for value in known], 600, separator=", ") if known else "not named"


def _changes(members: Members, shown: Sequence[PlaybookExecution], room: int, seen: _Seen) -> list[Block]:
    """Return what changes, once for all items that change alike, with their lines below."""
    with_state, blocks = not members.waiting, list[Block]()
    title = f"{_title(shown)} (before → after)"
    groups = group(shown, room=4 * room)
    for number, alike in enumerate(groups[:_MOST_SECTIONS]):
        seen.is_whole &= alike.changes.is_whole
        lead = f"*{title}*\n" if number == 0 else ""
        blocks.append(section(f"{lead}{alike.changes.text}"))
        lines = []
        for execution in alike.executions:
            line = item_line(execution, with_state=False)
            seen.is_whole &= line.is_whole
            refused = members.batch.refused.get(execution.execution_id, "")
            lines.append(item_result(execution, refused) if with_state else line.text)
        blocks += [section(text) for text in _paragraphs(lines, 3 * room, seen)]
    if len(groups) > _MOST_SECTIONS:
        seen.is_whole = False
        left = sum(len(alike.executions) for alike in groups[_MOST_SECTIONS:])
        blocks.append(section(f"… and {left} more items, which change in other ways."))
    return blocks


def _title(shown: Sequence[PlaybookExecution]) -> str:
    """Return what stands above the changes: what will, would have or did change."""
    titles = {wording(each).changes for each in shown}
    return titles.pop() if len(titles) == 1 else "What it is about"


def _paragraphs(lines: Sequence[str], limit: int, seen: _Seen) -> list[str]:
    """Return lines in as few sections as hold them, at most `limit` characters in all."""
    texts, left = [""], limit
    for number, line in enumerate(lines):
        left -= len(line) + 1
        if left < 0 and number:
            seen.is_whole = False
            texts.append(f"… and {len(lines) - number} more")
            break
        if len(texts[-1]) + len(line) + 1 > _SECTION:
            texts.append("")
        texts[-1] = f"{texts[-1]}\n{line}".strip()
    return texts


def _advice(shown: Sequence[PlaybookExecution], room: int) -> list[Block]:
    """Return what stays as it is, and what to know; each once, with the items it is about where not about all."""
    kept, known = dict[str, list[str]](), dict[str, list[str]]()
    for execution in shown:
        plans = execution.plan.actions if execution.plan else ()
        if untouched := ", ".join(item for plan in plans for item in plan.untouched):
            kept.setdefault(escape(untouched, 400), []).append(execution.finding.handle)
        for note in item_notes(execution):
            known.setdefault(note, []).append(execution.finding.handle)
    return [
        section(f"*{title}*\n{join_first(_about(said, len(shown)), min(room, _SECTION - 40))}")
        for title, said in (("Stays as it is", kept), ("Good to know", known))
        if said
    ]


def _about(said: Mapping[str, Sequence[str]], count: int) -> list[str]:
    """Return what was said, with the handles of the items it is about; a single thing about all of them stands alone."""
    if len(said) == 1 and all(len(handles) == count for handles in said.values()):
        return list(said)
    return [f"• {words}{_of(handles, count)}" for words, handles in said.items()]


def _of(handles: Sequence[str], count: int) -> str:
    if len(handles) == count:
        return ""
    more = f" and {len(handles) - _NAMED} more" if len(handles) > _NAMED else ""
    return f"  ({', '.join(code(handle, 40) for handle in handles[:_NAMED])}{more})"


def _left_out(members: Members, room: int) -> list[Block]:
    if not members.batch.left_out:
        return []
    lines = [
        f"• {code(each.finding, 40)} {code(each.resource, 200) if each.resource else ''}: {escape(each.why, 300)}"
        for each in members.batch.left_out
    ]
    words = join_first(lines, min(2 * room, _SECTION - 80))
    return [section(f"*Asked for, and left out* ({len(lines)})\n{words}")]


def _small_print(members: Members, rules: BatchRules) -> Block:
    parts = [code(members.batch.batch_id, 80), code(members.batch.playbook_id, 80)]
    if members.waiting:
        parts.append(f"set {code(set_digest(members.batch.batch_id, members.waiting)[:12], 20)}")
    if rules.environment:
        parts.append(escape(rules.environment, 40))
    return context("  ·  ".join(parts))
