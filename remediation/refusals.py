"""The ways to say no to a decision, each with its reason."""

from datetime import datetime

from audit.actor import Actor
from audit.errors import RefusedError
from remediation.execution import PlaybookExecution
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.ports import Person
from remediation.rules import Terms
from remediation.states import LIVE, PlaybookStatus

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


def refuse_live(execution: PlaybookExecution) -> None:
    """Refuse a word on what is being done at this moment: it is for whoever works on it to write down how it goes.

    Raises:
        RefusedError: says when to come back.
    """
    if execution.status in LIVE:
        raise RefusedError(
            f"Not yet: {_LATE[execution.status]}. Once that is over, the button is on the card again."
        )


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


def refuse_outsider(terms: Terms, person: Person) -> None:
    """Refuse anyone the terms do not name, and everyone who is no full, living member of this workspace.

    Raises:
        RefusedError: with the reason.
    """
    refuse_unfit(person)
    if not terms.names(person):
        raise RefusedError(f"You are not among the approvers. Who is: {terms.describe_approvers()}.")


def refuse_unfit(person: Person) -> None:
    """Refuse everyone who is no full, living member of this workspace.

    Raises:
        RefusedError: with the reason.
    """
    if not person.actor.is_resolved:
        raise RefusedError("We could not find out who you are, so nothing was decided.")
    if person.is_bot or person.is_deleted or person.is_guest or person.is_stranger:
        raise RefusedError("Only full members of this workspace can decide about changes to the cloud.")


def refuse_without_rollback(execution: PlaybookExecution) -> None:
    """Refuse a rollback where there is nothing to put back.

    Raises:
        RefusedError: with the reason.
    """
    if not execution.can_roll_back:
        raise RefusedError(f"There is nothing to roll back: this execution is {execution.status.value}.")


def refuse_owner(person: Person) -> None:
    """Refuse somebody who cannot answer for anything here.

    Raises:
        RefusedError: with the reason.
    """
    if not person.actor.is_resolved or (
        person.is_bot or person.is_deleted or person.is_guest or person.is_stranger
    ):
        raise RefusedError(
            "Only a full member of this workspace can own an exception, so nothing was decided."
        )
