"""The items of a batch the way an approver reads them: what changes alike stands once, with every resource it is about below."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.blocks.changes import Shown, compare_actions, plans_of
from handlers.blocks.parts import SECTION_LIMIT
from handlers.blocks.states import wording
from handlers.blocks.texts import code, escape, fits, severity_words
from remediation.execution import PlaybookExecution
from remediation.plan import ActionPlan
from remediation.states import PlaybookStatus

LONGEST_RESOURCE = 200
_ERROR_LIMIT = 200
_LONGEST_CHANGES = 2500  # a section takes 3,000, and a title or a name stands above
_DRIFTED = "🔁 *Changed meanwhile*, and has a card of its own"
_WITH_REASON = frozenset({PlaybookStatus.REJECTED})


@dataclass(frozen=True, slots=True)
class Alike:
    """Items that change in the same way, and what that is."""

    changes: Shown
    executions: tuple[PlaybookExecution, ...]


def group(executions: Sequence[PlaybookExecution], *, room: int) -> list[Alike]:
    """Return items by what changes about them, in the order of each first one."""
    by_changes: dict[str, list[PlaybookExecution]] = {}
    for execution in executions:
        by_changes.setdefault(_key(execution), []).append(execution)
    share = room // max(1, len(by_changes))
    return [Alike(_changes(alike[0], room=share), tuple(alike)) for alike in by_changes.values()]


def _key(execution: PlaybookExecution) -> str:
    """Return the same text for items that change in the same way, each on the resource that its finding is about."""
    said = [(_place(plan, execution), plan.action_name, list(plan.changes())) for plan in _needed(execution)]
    return repr(said)


def _place(plan: ActionPlan, execution: PlaybookExecution) -> str:
    """Return the resource of a step where it is another than the finding's: such items are alike only if that is the same."""
    resource = plan.target.resource
    return "" if resource == execution.finding.resource else resource


def _needed(execution: PlaybookExecution) -> list[ActionPlan]:
    return [plan for plan in plans_of(execution) if plan.is_needed]


def _changes(execution: PlaybookExecution, *, room: int) -> Shown:
    shown = compare_actions(execution, room=room)
    if not shown:
        return Shown("Nothing.")
    text = "\n".join(each.text for each in shown)
    if len(text) > _LONGEST_CHANGES:
        return Shown("These changes are too long to stand here.", is_whole=False)
    return Shown(text, all(each.is_whole for each in shown))


def item_line(execution: PlaybookExecution, *, with_state: bool) -> Shown:
    """Return an item on one line: how bad, which resource, where, the finding's handle; where it stands, if asked for."""
    finding = execution.finding
    region = next((plan.target.region for plan in plans_of(execution)), "") or finding.region
    places = "  ·  ".join(escape(part, 60) for part in (finding.account_id, region) if part)
    parts = [
        severity_words(finding.severity),
        code(finding.resource, LONGEST_RESOURCE) if finding.resource else "no resource named",
        places or "account and region not named",
        code(finding.handle, 40),
    ]
    state = f"{item_state(execution)}  " if with_state else ""
    return Shown(state + "  ·  ".join(parts), fits(finding.resource, LONGEST_RESOURCE - 2))


def item_state(execution: PlaybookExecution) -> str:
    """Return where an item stands, in a sign and a word."""
    if execution.revision > 1:
        return _DRIFTED
    words = wording(execution)
    verb = "Waiting" if execution.status is PlaybookStatus.PENDING else words.verb
    return f"{words.sign} *{verb}*"


def item_result(execution: PlaybookExecution, refused: str = "") -> str:
    """Return an item's line with what went wrong, or why it was taken out."""
    line = item_line(execution, with_state=True).text
    if refused and execution.can_roll_back:
        return f"{line}\n        *Not put back:* {escape(refused, _ERROR_LIMIT)}"
    if execution.error and execution.revision == 1:
        return f"{line}\n        {escape(execution.error, _ERROR_LIMIT)}"
    if execution.status in _WITH_REASON and execution.decisions:
        return f"{line}\n        {escape(execution.decisions[-1].reason, _ERROR_LIMIT)}"
    return line


def whole_item(execution: PlaybookExecution, *, room: int) -> Shown:
    """Return an item with its title, its changes and what to know of it, for where there is room for each by itself."""
    line, changes = item_line(execution, with_state=False), _changes(execution, room=room)
    text = "\n".join((f"*{escape(execution.finding.title, 200)}*", line.text, changes.text))
    for note in item_notes(execution):
        if len(text) + len(note) < SECTION_LIMIT:
            text = f"{text}\n• {note}"
    if len(text) > SECTION_LIMIT:
        return Shown(line.text, is_whole=False)
    return Shown(text, line.is_whole and changes.is_whole)


def item_notes(execution: PlaybookExecution) -> list[str]:
    """Return what an approver should know of an item, escaped."""
    return [escape(note, 300) for plan in plans_of(execution) for note in plan.notes]
