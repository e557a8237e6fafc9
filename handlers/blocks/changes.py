"""The exact before → after, the way an approver reads it.

Nobody signs what they cannot see, so every comparison knows whether anything of it was cut.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.blocks.texts import code, code_block, fits, in_code, listed, one_line, plain
from remediation.actions.contract import show_value
from remediation.execution import ActionResult, PlaybookExecution
from remediation.plan import ActionPlan, Change

_ARROW = "→"
_NAME_WIDTH = 40
_LONGEST_NAME = 120
_SHORTEST_VALUE = 24
_MOST_ACTIONS = 12
_LEAST_PER_ACTION = 100
_SHORTEST_RESOURCE, _LONGEST_RESOURCE = 100, 300
_CONFIRM_LIMIT = 300
_READ_FIRST = " It is read once more first: what somebody changed since is not overwritten."


@dataclass(frozen=True, slots=True)
class Shown:
    """A text for people. `is_whole` tells whether nothing of it was cut."""

    text: str
    is_whole: bool = True


def compare(changes: Sequence[Change], *, room: int) -> Shown:
    """Return settings one below the other, as `name  before → after`, in about `room` characters."""
    width = min(_NAME_WIDTH, max((len(change.setting) for change in changes), default=0))
    share = max(_SHORTEST_VALUE, room // (2 * max(1, len(changes))) - width)
    lines: list[Shown] = []
    left = room
    for change in changes:
        line = _line(change, width=width, share=share)
        left -= len(line.text) + 1
        if lines and left < 0:
            lines.append(Shown(f"… and {len(changes) - len(lines)} more settings", is_whole=False))
            break
        lines.append(line)
    return Shown(code_block([line.text for line in lines]), all(line.is_whole for line in lines))


def _line(change: Change, *, width: int, share: int) -> Shown:
    before, after = (_cell(value, share) for value in spell(change))
    name = in_code(change.setting, _LONGEST_NAME).ljust(width)
    is_whole = before.is_whole and after.is_whole and fits(change.setting, _LONGEST_NAME)
    return Shown(f"{name}  {before.text} {_ARROW} {after.text}", is_whole)


def spell(change: Change) -> tuple[str, str]:
    """Return both values in words, whole; as JSON where the words would not tell them apart (`on` the text, and on)."""
    words = (show_value(change.before), show_value(change.after))
    if one_line(words[0]) != one_line(words[1]):
        return words
    return (_to_json(change.before), _to_json(change.after))


def _to_json(value: object) -> str:
    """Return JSON in which nothing is hidden: neither a letter without a shape nor one space of several."""
    return "not set" if value is None else json.dumps(value, default=str).replace("  ", " \\u0020")


def _cell(value: str, share: int) -> Shown:
    """Return a value; one that does not fit says how long it is."""
    if fits(value, share):
        return Shown(in_code(value, share) or '""')
    return Shown(f"{in_code(value, share)} ({len(value):,} characters)", is_whole=False)


def compare_actions(execution: PlaybookExecution, *, room: int) -> list[Shown]:
    """Return one comparison per action that changes something, each below its name.

    A resource other than the finding's own is named too.
    """
    needed = [plan for plan in plans_of(execution) if plan.is_needed]
    most = min(_MOST_ACTIONS, max(1, room // _LEAST_PER_ACTION))
    share = room // max(1, min(len(needed), most))
    shown = [_action(plan, share, known=execution.finding.resource) for plan in needed[:most]]
    if len(needed) > most:
        shown.append(Shown(f"… and {len(needed) - most} more actions", is_whole=False))
    return shown


def _action(plan: ActionPlan, room: int, *, known: str) -> Shown:
    changes, resource = compare(list(plan.changes()), room=room), plan.target.resource
    limit = resource_limit(room)
    elsewhere = "" if resource == known else f" on {code(resource, limit)}"
    text = f"{code(plan.action_name, 60)}{elsewhere}\n{changes.text}"
    return Shown(text, changes.is_whole and fits(resource, limit))


def resource_limit(room: int) -> int:
    """Return how many characters of a resource's id are shown where there is `room` for each long text."""
    return max(_SHORTEST_RESOURCE, min(_LONGEST_RESOURCE, room))


def restored(execution: PlaybookExecution) -> str:
    """Say for the confirm dialog what a rollback puts back and what the fix had set, in at most 300 characters of plain text.

    What is there now is read when it is ordered: where that is neither of the two, nothing is put back.
    """
    written = zip(plans_of(execution), execution.actions, strict=False)
    whole = " ".join(
        sentence for plan, result in written if result.before is not None for sentence in _back(plan, result)
    )
    if whole and len(whole) + len(_READ_FIRST) <= _CONFIRM_LIMIT:
        return whole + _READ_FIRST
    if len(whole) <= _CONFIRM_LIMIT:
        return whole or "Everything this fix wrote goes back to what it was."
    ending = " The card lists every setting."
    return plain(whole, _CONFIRM_LIMIT - len(ending)) + ending


def _back(plan: ActionPlan, result: ActionResult) -> Iterable[str]:
    """Yield a sentence per value, naming the settings that go back to it."""
    names: dict[tuple[str, str], list[str]] = {}
    before = result.before or {}
    for change in plan.changes():
        values = show_value(before.get(change.setting)), show_value(change.after)
        names.setdefault(values, []).append(plain(change.setting, 80))
    for (was, we_set), settings in names.items():
        back = f"{listed(settings)} back to {plain(was, 80)} (we set {plain(we_set, 80)})"
        yield f"{_short_name(plan.target.resource)}: {back}."


def _short_name(resource: str) -> str:
    """Return the last part of a cloud's own id: the name that people know a resource by."""
    return plain(resource.rstrip("/").rpartition(":")[2].rpartition("/")[2] or resource, 63)


def plans_of(execution: PlaybookExecution) -> tuple[ActionPlan, ...]:
    """Return the plan of each action, none where nothing could be planned."""
    return execution.plan.actions if execution.plan else ()
