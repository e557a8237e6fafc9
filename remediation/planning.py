"""From a playbook and a finding to a plan. Reads the cloud, changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from audit.errors import CountersignError, InputError
from audit.findings import Finding
from remediation.actions.registry import ActionRegistry, Step
from remediation.conditions import Condition
from remediation.execution import ActionResult
from remediation.plan import ActionPlan, Plan, Target
from remediation.playbook import RemediationPlaybook
from remediation.playbook_file import playbook_from_dict
from remediation.policy import Policy
from remediation.states import ActionStatus
from remediation.templating import check_templates, fill_in

# A plan reads its resource, so it exists; a finding that passes is never planned for.
ALWAYS = "True"
# Planning waits for clouds nearly all the time. More at a time would ask for throttling.
AT_A_TIME = 24
KNOWN_PREREQUISITES = frozenset({"resource_exists", "finding_open"})


@dataclass(frozen=True, slots=True)
class Planner:
    """Draws up plans with the actions we have, under the policy in force."""

    registry: ActionRegistry
    policy: Policy

    def check(self, playbook: RemediationPlaybook) -> None:
        """Let a playbook pass that could be planned for some finding. Reads no cloud.

        Raises:
            InputError: a step, condition, template or prerequisite is not one we know; the text names it.
        """
        unknown = sorted(set(playbook.prerequisites) - KNOWN_PREREQUISITES)
        if unknown:
            raise InputError(f"playbook {playbook.playbook_id}: no prerequisite “{unknown[0]}”")
        if not playbook.actions:
            raise InputError(f"playbook {playbook.playbook_id} has no actions")
        for written in playbook.actions:
            with naming(f"action {written.action_name}"):
                check_templates(written.params)
                Condition(written.condition or ALWAYS)
            self.registry.check(written)

    def steps(self, playbook: RemediationPlaybook, finding: Finding) -> list[Step]:
        """Return the steps that apply to a finding, with their actions and their parameters filled in.

        Raises:
            InputError: the playbook cannot be used, or no step of it applies.
        """
        self.check(playbook)
        written = [
            replace(step, params=fill_in(step.params, finding))
            for step in playbook.actions
            if Condition(step.condition or ALWAYS).holds(finding)
        ]
        if not written:
            raise InputError(
                f"no step of {playbook.playbook_id} applies to {finding.handle}: see its conditions"
            )
        return [self.registry.resolve(step) for step in written]

    def draw_up(self, playbook: RemediationPlaybook, finding: Finding) -> Plan:
        """Read the resource and say exactly what would happen.

        Raises:
            InputError: the playbook cannot be used, or the finding asks for nothing.
            RefusedError: the resource or its account is protected.
            ActionError: the resource cannot be read, or is not what the playbook is for.
        """
        steps = self.steps(playbook, finding)
        if not finding.is_open:
            raise InputError(f"{finding.handle} is {finding.status.value}, so there is nothing to fix")
        target = target_of(finding)
        return self._let_through(
            Plan(
                playbook_id=playbook.playbook_id,
                playbook_version=playbook.version,
                policy_digest=self.policy.digest,
                finding_id=finding.id,
                actions=tuple(step.plan(target) for step in steps),
            )
        )

    def draw_up_many(
        self, playbook: RemediationPlaybook, findings: Sequence[Finding]
    ) -> list[Plan | CountersignError]:
        """Draw up a plan per finding, several at a time, in the findings' order.

        Where one cannot be planned, what `draw_up` raised stands in its place and the others are planned all the same.
        """
        draw_up = partial(self._draw_up_or_explain, playbook)
        with ThreadPoolExecutor(max_workers=AT_A_TIME, thread_name_prefix="plan") as pool:
            return list(pool.map(draw_up, findings))

    def _draw_up_or_explain(self, playbook: RemediationPlaybook, finding: Finding) -> Plan | CountersignError:
        try:
            return self.draw_up(playbook, finding)
        except CountersignError as error:
            return error

    def _let_through(self, plan: Plan) -> Plan:
        """Return a plan that touches nothing protected, with what an approver should know about the calendar.

        Raises:
            RefusedError: an action's resource or account is protected.
        """
        for action in plan.actions:
            self.policy.protection.refuse_target(action.target)
        first, *others = plan.actions
        told = replace(first, notes=(*first.notes, *self.policy.protection.describe()))
        return replace(plan, actions=(told, *others))

    def redraw(self, stored: Mapping[str, object], finding: Finding) -> tuple[Plan, list[Step]]:
        """Draw up the plan anew from the playbook's text as it was stored with the execution.

        Raises:
            InputError: the text can no longer be used.
            ActionError: the resource cannot be read.
        """
        playbook = playbook_from_dict(stored, name=str(stored.get("playbook_id", "playbook")))
        return self.draw_up(playbook, finding), self.steps(playbook, finding)

    def stored_steps(self, stored: Mapping[str, object], finding: Finding) -> list[Step]:
        """Return the steps of a playbook's text as it was stored with the execution.

        Raises:
            InputError: the text can no longer be used.
        """
        playbook = playbook_from_dict(stored, name=str(stored.get("playbook_id", "playbook")))
        return self.steps(playbook, finding)


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Put a place's name before what is wrong in it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


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
