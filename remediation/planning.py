"""From a playbook and a finding to a plan. Reads the cloud, changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.errors import InputError
from audit.findings import Finding
from remediation.actions.registry import ActionRegistry, Step
from remediation.execution import ActionResult
from remediation.plan import ActionPlan, Plan, Target
from remediation.playbook import RemediationPlaybook
from remediation.playbook_file import playbook_from_dict
from remediation.policy import Policy
from remediation.states import ActionStatus

# A plan reads its resource, so it exists; a finding that passes is never planned for.
KNOWN_PREREQUISITES = frozenset({"resource_exists", "finding_open"})


@dataclass(frozen=True, slots=True)
class Planner:
    """Draws up plans with the actions we have, under the policy in force."""

    registry: ActionRegistry
    policy: Policy

    def steps(self, playbook: RemediationPlaybook) -> list[Step]:
        """Return the playbook's steps with their actions.

        Raises:
            InputError: a step, condition or prerequisite is not one we know; the text names it.
        """
        unknown = sorted(set(playbook.prerequisites) - KNOWN_PREREQUISITES)
        if unknown:
            raise InputError(f"playbook {playbook.playbook_id}: no prerequisite “{unknown[0]}”")
        if not playbook.actions:
            raise InputError(f"playbook {playbook.playbook_id} has no actions")
        for written in playbook.actions:
            if written.condition is not None:
                raise InputError(f"action {written.action_name}: conditions are not supported")
        return [self.registry.resolve(written) for written in playbook.actions]

    def draw_up(self, playbook: RemediationPlaybook, finding: Finding) -> Plan:
        """Read the resource and say exactly what would happen.

        Raises:
            InputError: the playbook cannot be used, or the finding asks for nothing.
            ActionError: the resource cannot be read, or is not what the playbook is for.
        """
        steps = self.steps(playbook)
        if not finding.is_open:
            raise InputError(f"{finding.handle} is {finding.status.value}, so there is nothing to fix")
        target = target_of(finding)
        return Plan(
            playbook_id=playbook.playbook_id,
            playbook_version=playbook.version,
            policy_digest=self.policy.digest,
            finding_id=finding.id,
            actions=tuple(step.plan(target) for step in steps),
        )

    def redraw(self, stored: Mapping[str, object], finding: Finding) -> tuple[Plan, list[Step]]:
        """Draw up the plan anew from the playbook's text as it was stored with the execution.

        Raises:
            InputError: the text can no longer be used.
            ActionError: the resource cannot be read.
        """
        playbook = playbook_from_dict(stored, name=str(stored.get("playbook_id", "playbook")))
        return self.draw_up(playbook, finding), self.steps(playbook)

    def stored_steps(self, stored: Mapping[str, object]) -> list[Step]:
        """Return the steps of a playbook's text as it was stored with the execution.

        Raises:
            InputError: the text can no longer be used.
        """
        return self.steps(playbook_from_dict(stored, name=str(stored.get("playbook_id", "playbook"))))


def target_of(finding: Finding) -> Target:
    """Return the resource that a finding is about."""
    return Target(
        provider=finding.provider,
        resource=finding.resource,
        account_id=finding.account_id,
        region=finding.region,
    )


def planned_result(plan: ActionPlan, *, dry_run: bool) -> ActionResult:
    """Return an action's result while nothing has happened yet."""
    if not plan.is_needed:
        return ActionResult(
            plan.action_name, ActionStatus.SKIPPED, f"{_mark(dry_run)}Already as it should be"
        )
    provider = plan.action.partition(":")[0]
    verb = plan.action.rpartition(":")[2]
    if dry_run:
        message = f"[DRY RUN] {provider.upper()} action would be executed: {verb}"
    else:
        message = f"Planned: {verb}"
    return ActionResult(plan.action_name, ActionStatus.PLANNED, message)


def _mark(dry_run: bool) -> str:  # noqa: FBT001 - private, and named at its only call
    return "[DRY RUN] " if dry_run else ""
