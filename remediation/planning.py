"""From a playbook and a finding to a plan. Reads the cloud, changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from audit.errors import CountersignError, InputError
from audit.findings import Finding
from remediation.actions.contract import Draft
from remediation.actions.registry import ActionRegistry, Step
from remediation.clock import utc_now
from remediation.conditions import Condition
from remediation.execution import ActionResult
from remediation.ownership import describe_manager
from remediation.plan import ActionPlan, Plan, Target
from remediation.playbook import RemediationPlaybook
from remediation.playbook_file import PlaybookEntry, playbook_from_dict
from remediation.policy import Policy
from remediation.prerequisites import Circumstances, refuse_unknown, require
from remediation.states import ActionStatus
from remediation.templating import check_templates, fill_in

ALWAYS = "True"
Drafts = list[tuple[Step, Draft]]
# Planning waits for clouds nearly all the time. More at a time would ask for throttling.
AT_A_TIME = 24


@dataclass(frozen=True, slots=True)
class Planner:
    """Draws up plans with the actions we have, under the policy in force."""

    registry: ActionRegistry
    policy: Policy
    clock: Callable[[], datetime] = utc_now

    def check(self, playbook: RemediationPlaybook) -> None:
        """Let a playbook pass that could be planned for some finding. Reads no cloud.

        Raises:
            InputError: a step, condition, template or prerequisite is not one we know; the text names it.
        """
        with naming(f"playbook {playbook.playbook_id}"):
            refuse_unknown(playbook.prerequisites)
        if not playbook.actions:
            raise InputError(f"playbook {playbook.playbook_id} has no actions")
        for written in playbook.actions:
            with naming(f"action {written.action_name}"):
                check_templates(written.params)
                Condition(written.condition or ALWAYS)
            self.registry.check(written)
        refuse_unsigned(playbook)

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
        return [self.registry.resolve(step, finding) for step in written]

    def draw_up(self, playbook: RemediationPlaybook, finding: Finding) -> Plan:
        """Read the resource and say exactly what would happen.

        Raises:
            InputError: the playbook cannot be used, or the finding asks for nothing.
            RefusedError: the resource or its account is protected, there are too many of them, or a prerequisite does not hold.
            ActionError: the resource cannot be read, or is not what the playbook is for.
        """
        steps = self.steps(playbook, finding)
        if not finding.is_open:
            raise InputError(f"{finding.handle} is {finding.status.value}, so there is nothing to fix")
        target = target_of(finding)
        drafts = [(step, step.draft(target)) for step in steps]
        told = self._let_through(playbook, finding, drafts)
        first, *others = (_with_manager(step, draft) for step, draft in drafts)
        return Plan(
            playbook_id=playbook.playbook_id,
            playbook_version=playbook.version,
            policy_digest=self.policy.digest,
            finding_id=finding.id,
            actions=(replace(first, notes=(*first.notes, *told)), *others),
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

    def _let_through(
        self, playbook: RemediationPlaybook, finding: Finding, drafts: Drafts
    ) -> tuple[str, ...]:
        """Let pass what touches nothing protected; return what an approver should know of the checks and the calendar.

        Raises:
            RefusedError: something is protected, there is too much of it, or a prerequisite does not hold.
        """
        rules, now = self.policy.protection, self.clock()
        # By the scanner's name of it as well: an action may know the same resource by another.
        rules.refuse_resource(finding.resource)
        for step, draft in drafts:
            rules.refuse_target(draft.target)
            if step.action.effect == "change":
                rules.refuse_tags(draft.target.resource, draft.tags)
        changed = [draft.target for step, draft in drafts if step.action.effect == "change"]
        rules.refuse_crowd(changed, most=playbook.max_targets)
        self.policy.refuse_unclear(finding, playbook.playbook_id, changed)
        seen = Circumstances(finding=finding, drafts=drafts, protection=rules, now=now)
        return (*require(playbook.prerequisites, seen), *rules.describe(now))

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


def refuse_unsigned(playbook: RemediationPlaybook | PlaybookEntry) -> None:
    """Refuse steps for a person in a playbook that no person signs: there would be no evidence of anything.

    Raises:
        InputError: names the step.
    """
    by_hand = next((step for step in playbook.actions if step.action_type == "manual"), None)
    if by_hand and not playbook.requires_approval:
        raise InputError(
            f"action {by_hand.action_name}: what is done by hand needs a person's signature, and requires_approval is off"
        )


def _with_manager(step: Step, draft: Draft) -> ActionPlan:
    """Return a step's plan, with a warning where infrastructure code keeps the resource."""
    plan = step.to_plan(draft)
    return replace(plan, notes=(*plan.notes, *describe_manager(draft.tags)))


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


def planned_results(plan: Plan, *, dry_run: bool) -> tuple[ActionResult, ...]:
    """Return the actions' results while nothing has happened yet. Where nothing is to be done, nothing is to be told."""
    return tuple(
        _planned_result(action, is_needed=plan.is_needed and action.is_needed, dry_run=dry_run)
        for action in plan.actions
    )


def _planned_result(plan: ActionPlan, *, is_needed: bool, dry_run: bool) -> ActionResult:
    if not is_needed:
        why = "Not sent" if plan.effect == "message" else "Already as it should be"
        return ActionResult(plan.action_name, ActionStatus.SKIPPED, f"{_mark(dry_run)}{why}")
    provider = plan.action.partition(":")[0]
    verb = plan.action.rpartition(":")[2]
    if dry_run:
        message = f"[DRY RUN] {provider.upper()} action would be executed: {verb}"
    else:
        message = f"Planned: {verb}"
    return ActionResult(plan.action_name, ActionStatus.PLANNED, message)


def _mark(dry_run: bool) -> str:  # noqa: FBT001 - private, and named at its only call
    return "[DRY RUN] " if dry_run else ""
