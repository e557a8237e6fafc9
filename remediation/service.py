"""The use cases of a fix: request, decide, run, put back.

The Slack handlers, the CLI and `PlaybookExecutor` all come through here. Each step that changes something
is one stored transition with its trail entry; the notifier is told afterwards, and reads the state itself.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from audit.actor import POLICY, WORKER, Actor
from audit.errors import ActionError, HeldError, InputError, RefusedError, StateError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation.clock import utc_now as utc_now  # noqa: PLC0414 - others import it from here
from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.plan import Plan
from remediation.planning import Planner, planned_results
from remediation.playbook import RemediationPlaybook
from remediation.policy import (
    Policy,
    is_approved,
    refuse_late,
    refuse_outsider,
    refuse_same_person,
    refuse_self_approval,
    refuse_twice,
    refuse_unattended,
)
from remediation.ports import Directory, ExecutionStore, Notifier, Person, Silent
from remediation.states import PlaybookStatus

_RACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """Requests and decisions. `directory` is read at each decision; `clock` returns aware UTC."""

    store: ExecutionStore
    planner: Planner
    directory: Directory
    notifier: Notifier = field(default_factory=Silent)
    clock: Callable[[], datetime] = utc_now

    @property
    def policy(self) -> Policy:
        """Return the rules in force."""
        return self.planner.policy

    def request(
        self,
        playbook: RemediationPlaybook,
        finding: Finding,
        requester: Actor,
        *,
        execution_id: str | None = None,
        channel: str = "",
        dry_run: bool = False,
    ) -> PlaybookExecution:
        """Draw up a plan and store it for decision.

        Where nothing would change the execution is `COMPLETED` at once and nobody is asked. A plan that
        cannot be drawn up is stored `FAILED` with the explanation. A repeated id returns the stored execution. Where the
        same fix is under way on the same resource already, that execution is joined and returned.

        Raises:
            InputError: the playbook cannot be used, or the finding asks for nothing; nothing is stored.
            RefusedError: it would run without anybody's approval, and the rules do not let it; or another fix is under
                way on the same resource.
        """
        refuse_unattended(self.policy, playbook)
        blank = self._blank(
            playbook, finding, requester, execution_id=execution_id, channel=channel, dry_run=dry_run
        )
        try:
            plan = self.planner.draw_up(playbook, finding)
        except ActionError as error:
            execution = blank.moved(PlaybookStatus.FAILED, error=error.explain(), ended_at=blank.created_at)
        else:
            execution = _planned(blank, plan, needs_approval=playbook.requires_approval)
        return self._create_or_join(execution)

    def _create_or_join(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Store a new execution; while another one holds its resource, join that one instead."""
        for _ in range(_RACES):
            try:
                event = self._event("execution.requested", execution.requester, execution)
                stored = self.store.create(execution, event)
            except HeldError as error:
                joined = self._join(self.store.get(error.holder), execution)
                if joined is None:
                    continue
                return joined
            self.notifier.changed(stored.execution_id)
            return stored
        raise RefusedError("Many people are asking for fixes of this resource at once. Try again.")

    def _join(self, holder: PlaybookExecution, wanted: PlaybookExecution) -> PlaybookExecution | None:
        """Add a request to the execution that is under way; None where that one is over by now.

        Raises:
            RefusedError: it is another fix.
        """
        try:
            if holder.status is PlaybookStatus.PENDING and self.clock() >= holder.expires_at:
                self.expire(holder)
                return None
            if not holder.held:
                return None
            if holder.playbook_id != wanted.playbook_id:
                raise RefusedError(
                    f"{holder.playbook_name} ({holder.execution_id}) is under way on {holder.finding.resource}. "
                    "Wait until it is over, or have it rejected."
                )
            return self._save(holder, holder, "execution.joined", wanted.requester)
        except StateError:  # it moved on at this moment: look again
            return None

    def _blank(
        self,
        playbook: RemediationPlaybook,
        finding: Finding,
        requester: Actor,
        *,
        execution_id: str | None,
        channel: str,
        dry_run: bool,
    ) -> PlaybookExecution:
        now = self.clock()
        return PlaybookExecution(
            execution_id=execution_id or f"x-{uuid.uuid4().hex[:12]}",
            playbook=playbook.to_dict(),
            finding=finding,
            requester=requester,
            created_at=now,
            expires_at=now + self.policy.expires_after,
            channel=channel,
            holds=_hold(finding),
            dry_run=dry_run,
        )

    def approve(
        self, execution_id: str, actor: Actor, *, revision: int | None = None, reason: str = ""
    ) -> PlaybookExecution:
        """Record a person's signature on the plan; with enough of them the execution is `APPROVED`.

        Args:
            execution_id: which one.
            actor: who signs.
            revision: the revision of the plan they saw; None where they saw the stored one.
            reason: what they want on record with it.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, or not now; nothing was decided.
        """
        return self._decide(partial(self._approve_once, reason.strip()), execution_id, actor, revision)

    def _approve_once(
        self, reason: str, execution: PlaybookExecution, actor: Actor, revision: int | None
    ) -> PlaybookExecution:
        refuse_late(execution, revision=revision, now=self.clock())
        self.policy.protection.refuse_time(self.clock())
        refuse_same_person(self.policy, execution.requester, actor)
        person = self._look_up(actor)
        refuse_self_approval(self.policy, self._requester(execution), person.actor)
        refuse_twice(execution, person.actor)
        refuse_outsider(self.policy, person)
        signed = self._signed(execution, Verdict.APPROVE, person.actor, reason=reason)
        why = {"reason": reason} if reason else {}
        if is_approved(self.policy, signed):
            return self._save(execution, _for_real(signed), "execution.approved", person.actor, **why)
        return self._save(execution, signed, "execution.signed", person.actor, **why)

    def approve_by_policy(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Let the policy itself sign a playbook that needs no person; recorded as the policy's decision.

        Raises:
            RefusedError: the plan has expired, or the playbook does ask for a person.
            StateError: it is no longer pending.
        """
        if not self.policy.signs_for(execution):
            raise RefusedError(f"{execution.playbook_id} needs a person's approval")
        refuse_late(execution, revision=None, now=self.clock())
        self.policy.protection.refuse_time(self.clock())
        signed = self._signed(execution, Verdict.APPROVE, POLICY)
        return self._save(execution, _for_real(signed), "execution.approved", POLICY)

    def reject(
        self, execution_id: str, actor: Actor, *, reason: str, revision: int | None = None
    ) -> PlaybookExecution:
        """Record a person's no. Approvers may, and whoever asked may withdraw.

        Raises:
            NotFoundError: there is no such execution.
            InputError: no reason was given.
            RefusedError: this person may not, or not now.
        """
        if not reason.strip():
            raise InputError("a rejection needs a reason")

        def reject_once(
            execution: PlaybookExecution, actor: Actor, revision: int | None
        ) -> PlaybookExecution:
            refuse_late(execution, revision=revision, now=self.clock())
            person = self._look_up(actor)
            if not person.actor.is_same_person(execution.requester):
                refuse_outsider(self.policy, person)
            signed = self._signed(execution, Verdict.REJECT, person.actor, reason=reason.strip())
            rejected = signed.moved(PlaybookStatus.REJECTED, ended_at=self.clock())
            return self._save(execution, rejected, "execution.rejected", person.actor, reason=reason.strip())

        return self._decide(reject_once, execution_id, actor, revision)

    def expire(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Close a pending execution whose time is over.

        Raises:
            StateError: somebody decided meanwhile.
        """
        expired = execution.moved(PlaybookStatus.EXPIRED, ended_at=self.clock())
        return self._save(execution, expired, "execution.expired", WORKER)

    def allow_rollback(self, execution_id: str, actor: Actor) -> tuple[PlaybookExecution, Actor]:
        """Let an approver ask for a rollback; return the execution and who they are.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to put back, or this person may not.
        """
        execution = self.store.get(execution_id)
        refuse_without_rollback(execution)
        person = self._look_up(actor)
        refuse_outsider(self.policy, person)
        return execution, person.actor

    def _decide(
        self,
        decide_once: Callable[[PlaybookExecution, Actor, int | None], PlaybookExecution],
        execution_id: str,
        actor: Actor,
        revision: int | None,
    ) -> PlaybookExecution:
        """Decide on the state as it is; when somebody was faster, look again and decide on what they left."""
        for _ in range(_RACES):
            try:
                return decide_once(self.store.get(execution_id), actor, revision)
            except StateError:
                continue
        raise RefusedError("Many people are deciding on this at once. Look at the card and try again.")

    def _requester(self, execution: PlaybookExecution) -> Actor:
        """Return who asked, found in the directory where they came from a shell and only gave an address."""
        requester = execution.requester
        return requester if requester.slack_id else self._look_up(requester).actor

    def _look_up(self, actor: Actor) -> Person:
        return self.directory.look_up(actor, groups=self.policy.approver_groups)

    def _signed(
        self, execution: PlaybookExecution, verdict: Verdict, actor: Actor, *, reason: str = ""
    ) -> PlaybookExecution:
        decision = Decision(
            verdict=verdict,
            actor=actor,
            at=self.clock(),
            revision=execution.revision,
            plan_digest=execution.plan.digest if execution.plan else "",
            reason=reason,
        )
        return replace(execution, decisions=(*execution.decisions, decision))

    def _save(
        self, before: PlaybookExecution, after: PlaybookExecution, kind: str, actor: Actor, **detail: object
    ) -> PlaybookExecution:
        stored = self.store.save(before, after, self._event(kind, actor, after, **detail))
        self.notifier.changed(stored.execution_id)
        return stored

    def _event(self, kind: str, actor: Actor, execution: PlaybookExecution, **detail: object) -> TrailEvent:
        return execution_event(kind, actor, execution, at=self.clock(), detail=detail)


def _hold(finding: Finding) -> str:
    """Return the name of the resource that one execution at a time may work on; empty where none is named.

    An ARN, a self link or an ARM id is its own in the whole world; a bare name is in its account and region.
    """
    resource = finding.resource.strip().casefold()
    if not resource or ":" in resource or "/" in resource:
        return resource
    return f"{finding.provider} {finding.account_id} {finding.region} {resource}"


def _planned(execution: PlaybookExecution, plan: Plan, *, needs_approval: bool) -> PlaybookExecution:
    """Fill in the plan; what would change nothing, or is a rehearsal nobody has to sign, is complete."""
    results = planned_results(plan, dry_run=execution.dry_run)
    filled = replace(execution, plan=plan, actions=results)
    if plan.is_needed and (needs_approval or not execution.dry_run):
        return filled
    return filled.moved(PlaybookStatus.COMPLETED, ended_at=execution.created_at)


def _for_real(signed: PlaybookExecution) -> PlaybookExecution:
    """Approve: from here on it is no rehearsal, whatever it began as, and the trail must not call it one."""
    results = planned_results(signed.plan, dry_run=False) if signed.plan else ()
    return signed.moved(PlaybookStatus.APPROVED, dry_run=False, actions=results)


def refuse_without_rollback(execution: PlaybookExecution) -> None:
    """Refuse a rollback where there is nothing to put back.

    Raises:
        RefusedError: with the reason.
    """
    if not execution.can_roll_back:
        raise RefusedError(f"There is nothing to roll back: this execution is {execution.status.value}.")


def execution_event(
    kind: str, actor: Actor, execution: PlaybookExecution, *, at: datetime, detail: Mapping[str, object]
) -> TrailEvent:
    """Return the trail's event about an execution: what it is, where it stands, what was signed."""
    about: dict[str, object] = {
        "playbook_id": execution.playbook_id,
        "finding_id": execution.finding_id,
        "resource": execution.finding.resource,
        "account_id": execution.finding.account_id,
        "status": execution.status.value,
        "revision": execution.revision,
        "dry_run": execution.dry_run,
    }
    if execution.plan:
        about["plan_digest"] = execution.plan.digest
    if execution.error:
        about["error"] = execution.error
    return TrailEvent(
        kind=kind, actor=actor, at=at, subject=execution.execution_id, detail={**about, **detail}
    )
