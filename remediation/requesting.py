"""Asking for a fix: it is planned and stored for decision, or joins the one that is under way."""

import uuid
from dataclasses import dataclass, replace

from audit.actor import Actor
from audit.errors import ActionError, HeldError, RefusedError, StateError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation.desk import RACES, Desk, addressed
from remediation.events import execution_event
from remediation.excepting import refuse_excepted
from remediation.execution import PlaybookExecution
from remediation.plan import Plan
from remediation.planning import planned_results
from remediation.playbook import RemediationPlaybook
from remediation.refusals import refuse_unattended
from remediation.resource_key import resource_key
from remediation.states import PlaybookStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests(Desk):
    """Takes requests in."""

    def request(  # noqa: PLR0913 - all are named at each call
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
        refuse_excepted(self.exceptions, finding, now=self.clock())
        requester = self.introduce(requester)
        blank = self.blank(
            playbook, finding, requester, execution_id=execution_id, channel=channel, dry_run=dry_run
        )
        try:
            plan = self.planner.draw_up(playbook, finding)
        except ActionError as error:
            execution = blank.moved(PlaybookStatus.FAILED, error=error.explain(), ended_at=blank.created_at)
        else:
            execution = planned(blank, plan, needs_approval=playbook.requires_approval)
        return self._create_or_join(execution)

    def _create_or_join(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Store a new execution; while another one holds its resource, join that one instead."""
        for _ in range(RACES):
            try:
                requester = execution.requester
                event = self.change("execution.requested", requester, execution, **addressed(requester))
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
            # A run must not lose its row to whoever asks again: it is said on the trail, and nothing about the execution changes.
            self.store.note(holder, self._joining(holder, wanted.requester))
        except StateError:  # it moved on at this moment: look again
            return None
        return holder

    def _joining(self, holder: PlaybookExecution, requester: Actor) -> TrailEvent:
        """Return what the trail says of somebody who joins: no change, so it has no number among the changes."""
        detail = addressed(requester)
        return execution_event("execution.joined", requester, holder, at=self.clock(), detail=detail)

    def blank(  # noqa: PLR0913 - all are named at each call
        self,
        playbook: RemediationPlaybook,
        finding: Finding,
        requester: Actor,
        *,
        execution_id: str | None,
        channel: str,
        dry_run: bool,
        batch_id: str = "",
    ) -> PlaybookExecution:
        """Return an execution that nothing is planned for yet."""
        now = self.clock()
        return PlaybookExecution(
            execution_id=execution_id or f"x-{uuid.uuid4().hex[:12]}",
            playbook=playbook.to_dict(),
            finding=finding,
            requester=requester,
            created_at=now,
            expires_at=now + self.policy.terms_for(finding, playbook.playbook_id).expires_after,
            channel=channel,
            holds=resource_key(finding, None),
            dry_run=dry_run,
            batch_id=batch_id,
        )


def planned(execution: PlaybookExecution, plan: Plan, *, needs_approval: bool) -> PlaybookExecution:
    """Fill in the plan; what would change nothing, or is a rehearsal nobody has to sign, is complete."""
    results = planned_results(plan, dry_run=execution.dry_run)
    filled = replace(execution, plan=plan, actions=results, holds=resource_key(execution.finding, plan))
    if plan.is_needed and (needs_approval or not execution.dry_run):
        return filled
    return filled.moved(PlaybookStatus.COMPLETED, ended_at=execution.created_at)
