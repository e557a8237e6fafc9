"""Running what was approved.

The order of things is the promise. Before anything runs the plan is made again and its digest compared with the signed
one. Before each write the resource is read once more and the intent, with the state before, is committed. After each
write the resource is read again. A call that failed or timed out may have taken effect all the same, so what is
reported is what the resource shows.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from audit.actor import POLICY, Actor
from audit.errors import ActionError, CountersignError, RefusedError
from remediation.actions.registry import Step
from remediation.attempt import do, require_unchanged
from remediation.drift import drift_between, spell
from remediation.excepted import NoExceptions
from remediation.excepting import refuse_excepted
from remediation.execution import ActionResult, PlaybookExecution
from remediation.journal import KINDS, InHand, Journal, plans_of
from remediation.plan import ActionPlan, Plan
from remediation.planning import Planner, planned_results
from remediation.policy import is_approved, refuse_time
from remediation.ports import ExceptionGate
from remediation.recovery import recover_rollback, recover_run
from remediation.refusals import refuse_without_rollback
from remediation.rollback import refuse_protected, refuse_unsigned_rollback, roll_back
from remediation.settling import begin_again
from remediation.signatures import signatures
from remediation.states import ActionStatus, PlaybookStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs approved executions, puts them back, and settles what was interrupted."""

    journal: Journal
    planner: Planner
    in_hand: InHand = field(default_factory=InHand)
    exceptions: ExceptionGate = field(default_factory=NoExceptions)

    def run(self, execution_id: str) -> PlaybookExecution:
        """Run an approved execution to its end.

        Ends `COMPLETED` or `FAILED`; back in `PENDING` with a new revision where the resource no longer is as
        it was when people signed. An execution that is not `APPROVED` is returned as it is: somebody else has it.

        Raises:
            StateError: another worker took it at this moment.
            TrailError: the trail cannot be written; nothing was changed from there on.
        """
        with self.in_hand.taking(execution_id) as is_free:
            execution = self.journal.store.get(execution_id)
            if not is_free or execution.status is not PlaybookStatus.APPROVED:
                return execution
            return self._run(execution)

    def roll_back(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Put back everything an execution wrote, last action first.

        Ends `ROLLED_BACK` or `ROLLBACK_FAILED`.

        Args:
            execution_id: which one.
            actor: who asked; they have been let through the policy by the caller.

        Raises:
            RefusedError: there is nothing to put back, it is protected by now, or somebody has changed the resource since;
                nothing was written.
            ActionError: the resource cannot be read; nothing was written.
            StateError: another worker took it at this moment.
        """
        with self.in_hand.taking(execution_id) as is_free:
            if not is_free:
                raise RefusedError("It is being worked on at this moment. Look at the card.")
            execution = self.journal.store.get(execution_id)
            refuse_without_rollback(execution)
            refuse_protected(self.planner.policy.protection, execution)
            steps = self.planner.stored_steps(execution.playbook, execution.finding)
            refuse_unsigned_rollback(self.planner.policy, execution, steps, now=self.journal.clock())
            return roll_back(self.journal, execution, steps, actor=actor)

    def try_again(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Go on with an interrupted execution because a person said so, and run it to its end.

        Args:
            execution_id: which one.
            actor: who asked; they have been let through the policy by the caller.

        Raises:
            RefusedError: twice may do harm, an exception holds, or what was signed no longer holds; nothing was written.
            ActionError: the resource cannot be read, or is not as it was before; nothing was written.
            StateError: another worker took it at this moment.
        """
        with self.in_hand.taking(execution_id) as is_free:
            if not is_free:
                raise RefusedError("It is being worked on at this moment. Look at the card.")
            execution = self.journal.store.get(execution_id)
            begun = begin_again(self.journal, self.planner, execution, actor, exceptions=self.exceptions)
            return self._run_on(*begun)

    def recover(self, execution_id: str) -> PlaybookExecution:
        """Take over an execution that is `RUNNING` or `ROLLING_BACK` and that nobody works on any more.

        The resource is read to tell what was done; that is never taken for what we left. A run goes on where that is harmless and still approved.

        Raises:
            StateError: somebody works on it, or may do so: whoever has it has not been silent for long enough.
            TrailError: the trail cannot be written.
        """
        with self.in_hand.taking(execution_id) as is_free:
            execution = self.journal.store.get(execution_id)
            if is_free and execution.status is PlaybookStatus.RUNNING:
                return recover_run(
                    self.journal, self.planner, execution, self._run_on, exceptions=self.exceptions
                )
            if is_free and execution.status is PlaybookStatus.ROLLING_BACK:
                return recover_rollback(self.journal, self.planner, execution)
            return execution

    def _run(self, execution: PlaybookExecution) -> PlaybookExecution:
        if self.journal.clock() >= execution.expires_at:
            late = "It was approved, but nobody could run it before its time was over. Request the fix again."
            return self.journal.end(execution, PlaybookStatus.EXPIRED, error=late)
        try:
            refuse_time(self.planner.policy, execution, now=self.journal.clock())
            refuse_excepted(self.exceptions, execution.finding, now=self.journal.clock())
            plan, steps = self.planner.redraw(execution.playbook, execution.finding)
        except CountersignError as error:
            return self.journal.end(execution, PlaybookStatus.FAILED, error=error.explain())
        is_as_signed = execution.plan is not None and execution.plan.digest == plan.digest
        if not is_as_signed or not is_approved(self.planner.policy, execution):
            return self._ask_anew(execution, plan)
        return self._run_on(self._start(execution), steps)

    def _run_on(self, execution: PlaybookExecution, steps: list[Step]) -> PlaybookExecution:
        """Do what is left of a run, and end it; where it failed and the playbook says so, what was done is put back.

        A message that could not be sent is no reason to take back a fix that was made and verified.
        """
        ran, why = self._run_steps(execution, steps)
        if not why:
            return self.journal.end(ran, PlaybookStatus.COMPLETED)
        is_wanted = ran.playbook.get("rollback_on_failure") is True and not _only_a_message_failed(ran)
        if is_wanted and ran.has_way_back:
            return self._put_back(ran, steps, why)
        return self.journal.end(ran, PlaybookStatus.FAILED, error=why)

    def _put_back(self, ran: PlaybookExecution, steps: list[Step], why: str) -> PlaybookExecution:
        """Put back what a run had done before it failed, where nothing stands in the way of that.

        One stored change leads from `RUNNING` to `ROLLING_BACK`: there is no moment in which nobody has it in hand and it still is to be
        put back. What stands in the way leaves it `FAILED`, and is said: a person decides then, as without that setting. Where the rules
        ask for more signatures on a rollback than one, those on the fix are none on it.
        """
        policy = self.planner.policy
        try:
            refuse_protected(policy.protection, ran)
            refuse_unsigned_rollback(policy, ran, steps, now=self.journal.clock())
            return roll_back(self.journal, ran, steps, actor=POLICY, why=why)
        except (RefusedError, ActionError) as error:
            told = f"{why} What had been done was not put back by itself: {error.explain()}"
            return self.journal.end(ran, PlaybookStatus.FAILED, error=told)

    def _ask_anew(self, execution: PlaybookExecution, plan: Plan) -> PlaybookExecution:
        """Go back to `PENDING` with the plan as it would be now; every signature is void."""
        anew = execution.moved(
            PlaybookStatus.PENDING,
            plan=plan,
            actions=planned_results(plan, dry_run=False),
            drift=drift_between(execution.plan, plan),
            revision=execution.revision + 1,
            expires_at=self.journal.clock() + self.planner.policy.terms_of(execution).expires_after,
        )
        detail = {"drift": [spell(change) for change in anew.drift]}
        asked = self.journal.save(execution, anew, "execution.drifted", detail)
        return asked if plan.is_needed else self.journal.end(asked, PlaybookStatus.COMPLETED)

    def _start(self, execution: PlaybookExecution) -> PlaybookExecution:
        now = self.journal.clock()
        # What is held keeps two from beginning on one resource at once, and so from being given one number.
        others = self.journal.store.touching(*execution.resource_names, limit=None)
        number = 1 + max((each.run_number for each in others), default=0)
        started = execution.moved(
            PlaybookStatus.RUNNING, owner=self.journal.owner, started_at=now, run_number=number
        )
        return self.journal.save(execution, started, "execution.started")

    def _run_steps(self, execution: PlaybookExecution, steps: list[Step]) -> tuple[PlaybookExecution, str]:
        """Do the steps that are left; return the execution, still `RUNNING`, and why it failed, empty where it did not."""
        timeout_s = int(str(execution.playbook.get("timeout_seconds", 0)))
        deadline = self.journal.clock() + timedelta(seconds=timeout_s)
        for position, (step, plan) in enumerate(zip(steps, plans_of(execution), strict=True)):
            if plan.effect == "change" and execution.actions[position].status is ActionStatus.FAILED:
                return execution, _why(execution.actions[position])
            if not plan.is_needed or execution.actions[position].status is not ActionStatus.PLANNED:
                continue
            if self.journal.clock() >= deadline:
                return execution, f"The time limit of {timeout_s} s was over before {plan.action_name}."
            execution = self._run_step(execution, position, step, plan)
            if execution.actions[position].status is ActionStatus.FAILED:
                return execution, _why(execution.actions[position])
        # All are through; after an interruption there may be messages that nobody got.
        unsent = (each for each in execution.actions if each.status is ActionStatus.FAILED)
        return execution, next(map(_why, unsent), "")

    def _run_step(
        self, execution: PlaybookExecution, position: int, step: Step, plan: ActionPlan
    ) -> PlaybookExecution:
        """Do one action between two commits: the intent before, what became of it after."""
        now = self.journal.clock()
        # The state before says that something may have been written, and is to be put back.
        before = plan.before if plan.effect == "change" else None
        intent = ActionResult(
            plan.action_name, ActionStatus.STARTED, "Started", before=before, started_at=now
        )
        try:
            require_unchanged(step.action.observe(plan), plan)
        except ActionError as error:
            failed = replace(
                intent, status=ActionStatus.FAILED, message="Not started", error=error.explain(), before=None
            )
            return self.journal.record(execution, position, failed, "action.refused")
        execution = self.journal.record(
            execution, position, intent, "action.started", before=dict(plan.before)
        )
        result = do(step, plan)
        result = replace(
            result,
            message=result.message or step.action.done,
            before=before,
            started_at=now,
            ended_at=self.journal.clock(),
        )
        evidence = {"signed": signatures(execution)} if plan.effect == "manual" else {}
        return self.journal.record(execution, position, result, KINDS[result.status], **evidence)


def _why(failed: ActionResult) -> str:
    return failed.error or f"{failed.action_name} failed."


def _only_a_message_failed(execution: PlaybookExecution) -> bool:
    failed = [
        plan.effect
        for plan, result in zip(plans_of(execution), execution.actions, strict=True)
        if result.status is ActionStatus.FAILED
    ]
    return bool(failed) and set(failed) == {"message"}
