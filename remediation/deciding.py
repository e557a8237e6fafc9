"""Deciding about a fix: every signature and every no is one stored change."""

from dataclasses import dataclass
from functools import partial

from audit.actor import POLICY, Actor
from audit.errors import InputError, RefusedError
from remediation.desk import Desk
from remediation.execution import PlaybookExecution, Verdict
from remediation.planning import planned_results
from remediation.policy import is_approved
from remediation.refusals import (
    refuse_late,
    refuse_outsider,
    refuse_same_person,
    refuse_self_approval,
    refuse_twice,
    refuse_without_rollback,
)
from remediation.states import PlaybookStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions(Desk):
    """Takes decisions in."""

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
        return self.decide(partial(self._approve_once, reason.strip()), execution_id, actor, revision)

    def _approve_once(
        self, reason: str, execution: PlaybookExecution, actor: Actor, revision: int | None
    ) -> PlaybookExecution:
        refuse_late(execution, revision=revision, now=self.clock())
        self.policy.protection.refuse_time(self.clock())
        refuse_same_person(self.policy, execution.requester, actor)
        terms = self.policy.terms_of(execution)
        person = self.look_up(actor, terms)
        refuse_self_approval(self.policy, self._requester(execution), person.actor)
        refuse_twice(execution, person.actor)
        refuse_outsider(terms, person)
        signed = self.signed(execution, Verdict.APPROVE, person.actor, reason=reason)
        why = {"reason": reason} if reason else {}
        if is_approved(self.policy, signed):
            return self.save(execution, _for_real(signed), "execution.approved", person.actor, **why)
        return self.save(execution, signed, "execution.signed", person.actor, **why)

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
        signed = self.signed(execution, Verdict.APPROVE, POLICY)
        return self.save(execution, _for_real(signed), "execution.approved", POLICY)

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
            terms = self.policy.terms_of(execution)
            person = self.look_up(actor, terms)
            if not person.actor.is_same_person(execution.requester):
                refuse_outsider(terms, person)
            signed = self.signed(execution, Verdict.REJECT, person.actor, reason=reason.strip())
            rejected = signed.moved(PlaybookStatus.REJECTED, ended_at=self.clock())
            return self.save(execution, rejected, "execution.rejected", person.actor, reason=reason.strip())

        return self.decide(reject_once, execution_id, actor, revision)

    def allow_rollback(self, execution_id: str, actor: Actor) -> tuple[PlaybookExecution, Actor]:
        """Let an approver ask for a rollback; return the execution and who they are.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to put back, or this person may not.
        """
        execution = self.store.get(execution_id)
        refuse_without_rollback(execution)
        terms = self.policy.terms_of(execution)
        person = self.look_up(actor, terms)
        refuse_outsider(terms, person)
        return execution, person.actor

    def _requester(self, execution: PlaybookExecution) -> Actor:
        """Return who asked, found in the directory where they came from a shell and only gave an address."""
        requester = execution.requester
        return (
            requester
            if requester.slack_id
            else self.look_up(requester, self.policy.terms_of(execution)).actor
        )


def _for_real(signed: PlaybookExecution) -> PlaybookExecution:
    """Approve: from here on it is no rehearsal, whatever it began as, and the trail must not call it one."""
    results = planned_results(signed.plan, dry_run=False) if signed.plan else ()
    return signed.moved(PlaybookStatus.APPROVED, dry_run=False, actions=results)
