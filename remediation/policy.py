"""Who may decide, and what it takes. Every question that cannot be answered is answered with no."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from audit.actor import POLICY, Actor
from audit.canonical import digest
from audit.errors import RefusedError
from remediation.execution import PlaybookExecution, Verdict
from remediation.playbook import RemediationPlaybook
from remediation.ports import Person
from remediation.protection import Protection
from remediation.states import PlaybookStatus

DEFAULT_EXPIRY = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules in force.

    `approvers` holds Slack member ids and email addresses, `approver_groups` Slack user group ids.
    `anyone_else_may_approve` is for programs that bring their own gate: any resolved person but the requester may decide.
    `unattended_playbooks` names those that the policy itself may sign when they ask for no person; None allows all.
    """

    approvers: frozenset[str] = frozenset()
    approver_groups: frozenset[str] = frozenset()
    anyone_else_may_approve: bool = False
    required_approvals: int = 1
    allow_self_approval: bool = False
    unattended_playbooks: frozenset[str] | None = frozenset()
    expires_after: timedelta = DEFAULT_EXPIRY
    protection: Protection = field(default_factory=Protection)

    @cached_property
    def digest(self) -> str:
        """Return the digest that plans carry, so that a change of rules voids what was approved under others."""
        return digest(
            {
                "approvers": sorted(self.approvers),
                "approver_groups": sorted(self.approver_groups),
                "anyone_else_may_approve": self.anyone_else_may_approve,
                "required_approvals": self.required_approvals,
                "allow_self_approval": self.allow_self_approval,
                "unattended_playbooks": None
                if self.unattended_playbooks is None
                else sorted(self.unattended_playbooks),
                "expires_after_s": int(self.expires_after.total_seconds()),
                "protection": self.protection.to_dict(),
            }
        )

    def describe_approvers(self) -> str:
        """Return who may approve, ids marked with an at sign, for the person who may not."""
        if self.anyone_else_may_approve:
            return "anyone but the requester"
        names = sorted(self.approver_groups) + sorted(self.approvers)
        marked = [name if "@" in name else f"@{name}" for name in names]
        return ", ".join(marked) or "nobody yet: `policy.approvers` is empty"

    def names(self, person: Person) -> bool:
        """Tell whether the rules name this person."""
        if self.anyone_else_may_approve:
            return True
        actor = person.actor
        emails = {name.casefold() for name in self.approvers if "@" in name}
        by_name = actor.slack_id in self.approvers or actor.email.casefold() in emails
        return by_name or not self.approver_groups.isdisjoint(person.groups)

    def lets_run_unattended(self, playbook_id: str) -> bool:
        """Tell whether a playbook that asks for no person may do without one."""
        return self.unattended_playbooks is None or playbook_id in self.unattended_playbooks

    def signs_for(self, execution: PlaybookExecution) -> bool:
        """Tell whether the policy itself may sign: the playbook asks for no person, and the rules let it."""
        asks_nobody = execution.playbook.get("requires_approval") is False
        return asks_nobody and self.lets_run_unattended(execution.playbook_id)


EXECUTOR_DEFAULT = Policy(anyone_else_may_approve=True, unattended_playbooks=None)

_LATE = {
    PlaybookStatus.APPROVED: "it is already approved",
    PlaybookStatus.RUNNING: "it is already approved and running",
    PlaybookStatus.COMPLETED: "it already ran",
    PlaybookStatus.FAILED: "it already ran, and failed",
    PlaybookStatus.INTERRUPTED: "it already ran, and was interrupted",
    PlaybookStatus.REJECTED: "it was already rejected",
    PlaybookStatus.EXPIRED: "its time to decide is over",
    PlaybookStatus.ROLLING_BACK: "it is being rolled back",
    PlaybookStatus.ROLLED_BACK: "it was rolled back",
    PlaybookStatus.ROLLBACK_FAILED: "its rollback failed and needs a person",
}


def refuse_unattended(policy: Policy, playbook: RemediationPlaybook) -> None:
    """Refuse a playbook that asks nobody, unless the rules name it.

    Raises:
        RefusedError: with the reason.
    """
    if not playbook.requires_approval and not policy.lets_run_unattended(playbook.playbook_id):
        raise RefusedError(
            f"{playbook.playbook_id} would run without anybody's approval, "
            "and `policy.unattended_playbooks` does not name it."
        )


def refuse_late(execution: PlaybookExecution, *, revision: int | None, now: datetime) -> None:
    """Refuse a decision on something that is decided, superseded or out of time.

    Raises:
        RefusedError: with the reason.
    """
    if execution.status is not PlaybookStatus.PENDING:
        raise RefusedError(f"Too late: {_LATE[execution.status]}{_by_whom(execution)}.")
    if revision is not None and revision != execution.revision:
        raise RefusedError(
            "This card is out of date: the resource changed and a newer card shows the new plan."
        )
    if now >= execution.expires_at:
        raise RefusedError("Too late: its time to decide is over. Request the fix again.")


def _by_whom(execution: PlaybookExecution) -> str:
    """Name whoever decided last, an id marked with an at sign."""
    if not execution.decisions:
        return ""
    actor = execution.decisions[-1].actor
    return f" (decided by {'@' + actor.slack_id if actor.slack_id else actor.label})"


def refuse_same_person(policy: Policy, requester: Actor, actor: Actor) -> None:
    """Refuse a requester's own signature, as far as can be told without asking anybody.

    Raises:
        RefusedError: with the reason.
    """
    if not policy.allow_self_approval and actor.is_same_person(requester):
        raise RefusedError("You asked for this fix, so somebody else has to approve it.")


def refuse_self_approval(policy: Policy, requester: Actor, actor: Actor) -> None:
    """Refuse a requester's own signature, one whose requester nobody knows, and one that cannot be told from it.

    Raises:
        RefusedError: with the reason.
    """
    refuse_same_person(policy, requester, actor)
    if policy.allow_self_approval:
        return
    if not requester.is_resolved:
        raise RefusedError("Nobody knows who asked for this, so nobody can be the second person.")
    if not actor.is_comparable(requester):
        raise RefusedError("You and whoever asked cannot be told apart, so nothing was decided.")


def refuse_twice(execution: PlaybookExecution, actor: Actor) -> None:
    """Refuse a second signature of the same person.

    Raises:
        RefusedError: with the reason.
    """
    if any(actor.is_same_person(decision.actor) for decision in execution.approvals):
        raise RefusedError("You have already approved this; somebody else has to be the next.")


def refuse_outsider(policy: Policy, person: Person) -> None:
    """Refuse anyone the rules do not name, and everyone who is no full, living member of this workspace.

    Raises:
        RefusedError: with the reason.
    """
    if not person.actor.is_resolved:
        raise RefusedError("We could not find out who you are, so nothing was decided.")
    if person.is_bot or person.is_deleted or person.is_guest or person.is_stranger:
        raise RefusedError("Only full members of this workspace can decide about changes to the cloud.")
    if not policy.names(person):
        raise RefusedError(f"You are not among the approvers. Who is: {policy.describe_approvers()}.")


def is_approved(policy: Policy, execution: PlaybookExecution) -> bool:
    """Tell whether enough people have signed the plan as it stands.

    A digest other than the plan's is no signature on it. The policy's own signature is enough for a playbook that
    asks for nobody, and for no other.
    """
    if execution.plan is None:
        return False
    signatures = [
        decision
        for decision in execution.approvals
        if decision.verdict is Verdict.APPROVE and decision.plan_digest == execution.plan.digest
    ]
    if any(decision.actor == POLICY for decision in signatures):
        return policy.signs_for(execution)
    return len(signatures) >= max(1, policy.required_approvals)
