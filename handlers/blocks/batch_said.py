"""What people said about a batch: a word on many items at once is told once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from slack_sdk.models.blocks import Block

from handlers.blocks.card import VERBS
from handlers.blocks.changes import Shown
from handlers.blocks.parts import join_first, section
from handlers.blocks.pending import rollback_sentence, three_states
from handlers.blocks.texts import code, escape, mention, moment
from remediation.batches import Members
from remediation.execution import Decision, PlaybookExecution
from remediation.policy import count_people

_REASON = 180
_MOST_KINDS = 4
_STATES, _NAMES = 1000, 800
_CUT = (
    "⚠️ *Not all that goes back fits here, so it is not signed here.* `/playbook rollback` names each item, and shows it "
    "whole to be signed."
)


class Asks(Protocol):
    """What an item takes."""

    @property
    def required_approvals(self) -> int:
        """Return how many people have to sign."""

    @property
    def approvers(self) -> str:
        """Return who may, in words."""


def decision_lines(members: Members) -> list[str]:
    """Return who said what and when, each word once, with how many items it was about where not about all."""
    said: Counter[tuple[str, Decision]] = Counter()
    for execution in members.kept:
        for decision in execution.decisions:
            said[_alike(decision)] += 1
    ordered = sorted(said.items(), key=lambda each: each[0][1].at)
    return [_line(decision, count, of=len(members.kept)) for (_, decision), count in ordered]


def _alike(decision: Decision) -> tuple[str, Decision]:
    """Return the same for the same word on several items: who, what, why and in which second."""
    at = decision.at.replace(microsecond=0)
    one = Decision(
        verdict=decision.verdict,
        actor=decision.actor,
        at=at,
        revision=1,
        plan_digest="",
        reason=decision.reason,
    )
    return decision.verdict.value, one


def _line(decision: Decision, count: int, *, of: int) -> str:
    reason = f": {escape(decision.reason, _REASON)}" if decision.reason else ""
    some = f" ({count} of {of})" if count < of else ""
    return f"{VERBS[decision.verdict]} {mention(decision.actor)}, {moment(decision.at)}{some}{reason}"


def signed_so_far(
    executions: Sequence[PlaybookExecution], asked: Mapping[str, Asks]
) -> list[tuple[str, str]]:
    """Return how many of how many signatures there are, and who may give the others; by rule where several decide."""
    kinds: Counter[tuple[str, str]] = Counter()
    for execution in executions:
        takes = asked[execution.execution_id]
        signed = count_people(each.actor for each in execution.approvals)
        kinds[f"{signed} of {takes.required_approvals} approvals", takes.approvers] += 1
    if len(kinds) == 1:
        return list(kinds)
    return [(f"{count} with {signed}", who) for (signed, who), count in kinds.items()]


def rollback_blocks(members: Members, *, needed: int, room: int) -> tuple[list[Block], bool]:
    """Return the rollback that waits and what goes back, once for all items alike; and whether nothing of that was cut."""
    kinds = list(_alike_back(members, needed=needed).items())
    shown = [_going_back(said, executions, room=room) for (said, _), executions in kinds[:_MOST_KINDS]]
    blocks: list[Block] = [section(each.text) for each in shown]
    is_whole = len(kinds) <= _MOST_KINDS and all(each.is_whole for each in shown)
    if left := sum(len(executions) for _, executions in kinds[_MOST_KINDS:]):
        blocks.append(section(f"… and {left} more items, which go back in other ways."))
    return (blocks if is_whole else [*blocks, section(_CUT)]), is_whole


def _alike_back(members: Members, *, needed: int) -> dict[tuple[str, str], list[PlaybookExecution]]:
    """Return items whose rollback waits, by who asked for and signed it, and by the settings themselves: never by a cut text."""
    about: dict[tuple[str, str], list[PlaybookExecution]] = {}
    for execution in members.returnable:
        if asked := execution.rollback:
            back = [(each.setting, each.was, each.we_set, each.now) for each in asked.settings]
            said = rollback_sentence(execution, asked, needed=needed)
            about.setdefault((said, repr(back)), []).append(execution)
    return about


def _going_back(said: str, executions: Sequence[PlaybookExecution], *, room: int) -> Shown:
    asked = executions[0].rollback
    states = three_states(asked.settings if asked else (), min(_STATES, room))
    handles = [code(each.finding.handle, 40) for each in executions]
    names = join_first(handles, _NAMES, separator=", ")
    head = f"*{said}* What goes back, as it was read then, for {len(executions)} of them ({names}):"
    return Shown(f"{head}\n{states.text}", states.is_whole and names == ", ".join(handles))
