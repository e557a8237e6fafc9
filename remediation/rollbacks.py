"""Asking for a rollback, and signing one where the rules want more than one person.

What is signed is the state as it is read at that moment, setting by setting. When the resource or the rules change before the last
signature, nothing runs, the signatures are void, and it has to be asked for anew.
"""

from dataclasses import dataclass, replace

from audit.actor import WORKER, Actor
from audit.errors import RefusedError
from remediation.execution import Decision, PlaybookExecution, RollbackRequest, Verdict
from remediation.refusals import refuse_outsider, refuse_without_rollback
from remediation.rollback import draw_rollback, rollback_digest, rollback_signers
from remediation.runner import Runner
from remediation.service import Remediation


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """Takes what people say about rollbacks, and runs those that are signed by enough of them."""

    remediation: Remediation
    runner: Runner

    def ask(self, execution_id: str, actor: Actor, *, revision: int | None = None) -> PlaybookExecution:
        """Ask for a rollback, or sign the one that waits; with enough signatures it is run before this returns.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, not now, or not again; or somebody changed the resource.
            ActionError: the resource cannot be read.
            StateError: somebody was faster.
        """
        execution, person = self.remediation.allow_rollback(execution_id, actor)
        if revision is not None and execution.revision != revision:
            raise RefusedError("This card is out of date. A newer card shows what can be rolled back.")
        needed = self.remediation.policy.rollback_approvals
        if needed > 1:
            execution = self._sign(execution, person)
            if rollback_signers(execution) < needed:
                return execution
        return self.runner.roll_back(execution_id, person)

    def refuse(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Record a no to the rollback that waits. Approvers may, and whoever asked for it may withdraw.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: nothing waits, or this person may not.
            StateError: somebody was faster.
        """
        execution = self.remediation.store.get(execution_id)
        asked = _waiting(execution)
        terms = self.remediation.policy.terms_of(execution)
        person = self.remediation.look_up(actor, terms)
        if not person.actor.is_same_person(asked.requester):
            refuse_outsider(terms, person)
        refused = self._decided(execution, Verdict.REFUSE_ROLLBACK, person.actor, asked.digest)
        return self.remediation.save(
            execution, replace(refused, rollback=None), "rollback.refused", person.actor
        )

    def expire(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Take back a rollback that nobody signed in time; one whose time is not over stays.

        Raises:
            StateError: somebody decided meanwhile.
        """
        if execution.rollback is None or self.remediation.clock() < execution.rollback.expires_at:
            return execution
        return self.remediation.save(execution, replace(execution, rollback=None), "rollback.expired", WORKER)

    def _sign(self, execution: PlaybookExecution, person: Actor) -> PlaybookExecution:
        asked = execution.rollback
        if asked is None or self.remediation.clock() >= asked.expires_at:
            return self._request(execution, person)
        self._refuse_drifted(execution, asked)
        if rollback_signers(execution) >= self.remediation.policy.rollback_approvals:
            return execution  # signed, but it could not be run then
        signers = [each.actor for each in execution.decisions if each.plan_digest == asked.digest]
        if any(person.is_same_person(signer) or not person.is_comparable(signer) for signer in signers):
            raise RefusedError("You have signed this rollback; somebody else has to be the next.")
        signed = self._decided(execution, Verdict.SIGN_ROLLBACK, person, asked.digest)
        return self.remediation.save(
            execution, signed, "rollback.signed", person, rollback_digest=asked.digest
        )

    def _request(self, execution: PlaybookExecution, person: Actor) -> PlaybookExecution:
        """Store the rollback as it would be now, with the first signature."""
        policy, now = self.remediation.policy, self.remediation.clock()
        steps = self.runner.planner.stored_steps(execution.playbook, execution.finding)
        settings = draw_rollback(execution, steps)
        asked = RollbackRequest(
            requester=person,
            asked_at=now,
            asked_version=execution.version,
            expires_at=now + policy.terms_of(execution).expires_after,
            digest=rollback_digest(policy, execution, settings, asked_version=execution.version),
            settings=settings,
        )
        asking = replace(self._decided(execution, Verdict.ASK_ROLLBACK, person, asked.digest), rollback=asked)
        return self.remediation.save(
            execution, asking, "rollback.requested", person, rollback_digest=asked.digest
        )

    def _refuse_drifted(self, execution: PlaybookExecution, asked: RollbackRequest) -> None:
        """Void the signatures where what they were given for is no more.

        Raises:
            RefusedError: it is no more.
        """
        steps = self.runner.planner.stored_steps(execution.playbook, execution.finding)
        try:
            settings = draw_rollback(execution, steps)
            why = "The resource or the rules changed since this rollback was asked for"
        except RefusedError as error:
            settings, why = (), str(error)
        policy = self.remediation.policy
        if rollback_digest(policy, execution, settings, asked_version=asked.asked_version) == asked.digest:
            return
        self.remediation.save(execution, replace(execution, rollback=None), "rollback.drifted", WORKER)
        raise RefusedError(
            f"{why.rstrip('.')}. Its signatures are void: ask for it again if it still is wanted."
        )

    def _decided(
        self, execution: PlaybookExecution, verdict: Verdict, person: Actor, digest: str
    ) -> PlaybookExecution:
        decision = Decision(
            verdict=verdict,
            actor=person,
            at=self.remediation.clock(),
            revision=execution.revision,
            plan_digest=digest,
        )
        return replace(execution, decisions=(*execution.decisions, decision))


def _waiting(execution: PlaybookExecution) -> RollbackRequest:
    """Return the rollback that waits.

    Raises:
        RefusedError: none does.
    """
    refuse_without_rollback(execution)
    if execution.rollback is None:
        raise RefusedError("No rollback waits for a signature.")
    return execution.rollback
