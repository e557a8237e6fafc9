"""Named checks that a playbook asks for, each looked at whenever a plan is drawn up: at the request, and again right before the run.

Some of them say what holds for every playbook anyway. A playbook that names them says so on its card, and goes on insisting when a
configuration is loosened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.errors import InputError, RefusedError
from audit.findings import Finding
from audit.wording import nearest
from remediation.actions.contract import Draft
from remediation.actions.registry import Step
from remediation.protection import Protection


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the checks look at: the finding, each step with what planning it found, the rules, the time."""

    finding: Finding
    drafts: Sequence[tuple[Step, Draft]]
    protection: Protection
    now: datetime


def _resource_exists(seen: Circumstances) -> None:
    """Hold where a step has read the resource: whoever reads what is not there fails before this."""
    if not any(step.action.verifiable and step.action.effect == "change" for step, _ in seen.drafts):
        raise RefusedError(
            "No step of this playbook reads the resource, so nobody can tell whether it exists."
        )


def _finding_open(seen: Circumstances) -> None:
    if not seen.finding.is_open:
        raise RefusedError(
            f"{seen.finding.handle} is {seen.finding.status.value}, so there is nothing to fix."
        )


def _not_protected(seen: Circumstances) -> None:
    seen.protection.refuse_resource(seen.finding.resource)
    for step, draft in seen.drafts:
        seen.protection.refuse_resource(draft.target.resource)
        if step.action.effect == "change":
            seen.protection.refuse_tags(draft.target.resource, draft.tags)


def _account_allowed(seen: Circumstances) -> None:
    for _, draft in seen.drafts:
        seen.protection.refuse_account(draft.target.account_id)


def _inside_change_window(seen: Circumstances) -> None:
    seen.protection.refuse_time(seen.now)


CHECKS: Mapping[str, Callable[[Circumstances], None]] = {
    "resource_exists": _resource_exists,
    "finding_open": _finding_open,
    "not_protected": _not_protected,
    "account_allowed": _account_allowed,
    "inside_change_window": _inside_change_window,
}


def refuse_unknown(names: Sequence[str]) -> None:
    """Refuse a name that is no check of ours.

    Raises:
        InputError: names it and the nearest that there is.
    """
    if unknown := next((name for name in names if name not in CHECKS), None):
        near = nearest(unknown, CHECKS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(CHECKS)}"
        raise InputError(f"there is no prerequisite {unknown[:80]}; {hint}")


def require(names: Sequence[str], seen: Circumstances) -> tuple[str, ...]:
    """Let pass where every named check holds; return what a card says of them.

    Raises:
        RefusedError: one does not hold; says which.
        InputError: there is no such check.
    """
    refuse_unknown(names)
    for name in names:
        try:
            CHECKS[name](seen)
        except RefusedError as error:
            raise RefusedError(f"{error} (prerequisite {name})") from None
    return (f"Checked: {', '.join(name.replace('_', ' ') for name in names)}.",) if names else ()
