"""Asking for a rollback, and signing one where the rules want more than one person.

What is signed is the state as it is read at that moment, setting by setting. When the resource or the rules change before the last
signature, nothing runs, the signatures are void, and it has to be asked for anew.
"""

from dataclasses import asdict, dataclass, replace

from audit.actor import WORKER, Actor
from audit.errors import RefusedError
from remediation.execution import Decision, PlaybookExecution, Restored, RollbackRequest, Verdict
from remediation.refusals import refuse_outsider, refuse_without_rollback
from remediation.rollback import (
    draw_rollback,
    refuse_protected,
    refuse_signing_again,
    refuse_undoing_later,
    rollback_digest,
    rollback_signers,
)
from remediation.runner import Runner
from remediation.service import Remediation


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """Takes what people say about rollbacks, and runs those that are signed by enough of them."""

    remediation: Remediation
    runner: Runner

    def preview(self, execution_id: str) -> tuple[Restored, ...]:
        """Read the resource and return what a rollback would put back now, each setting in its three states. Changes nothing.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to put back, it is protected, a later fix is in the way, or somebody changed the resource since.
            ActionError: the resource cannot be read.
        """
        execution = self.remediation.store.get(execution_id)
        refuse_without_rollback(execution)
        refuse_undoing_later(self.remediation.store, execution)
        return self._draw(execution)

    def ask(
        self, execution_id: str, actor: Actor, *, revision: int | None = None, shown: int | None = None
    ) -> PlaybookExecution:
        """Ask for a rollback, or sign the one that waits; with enough signatures it is run before this returns.

        Args:
            execution_id: which one.
            actor: who asks or signs.
            revision: the revision of the plan they saw; None where they saw the stored one.
            shown: the `asked_version` of the rollback they saw wait, 0 where they saw none; None where they saw the stored one.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: this person may not, not now, or not again; or somebody changed the resource.
            ActionError: the resource cannot be read.
            StateError: somebody was faster.
        """
        execution, person = self.remediation.allow_rollback(execution_id, actor)
        if revision is not None and execution.revision != revision:
            raise RefusedError("This card is out of date. A newer card shows what can be rolled back.")
        _refuse_unseen(execution, shown)
        if self.remediation.policy.rollback_approvals > 1:
            return self._run_if_signed(self._sign(execution, person), person)
        return self.runner.roll_back(execution_id, person)

    def sign(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Sign the rollback that waits, and ask for none; see `ask`.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: none waits, or its time is over; and as `ask`.
            ActionError: the resource cannot be read.
            StateError: somebody was faster.
        """
        asked = _waiting(self.remediation.store.get(execution_id))
        if self._is_over(asked):
            raise RefusedError("Too late: the time to sign this rollback is over. Ask for it again.")
        return self.ask(execution_id, actor, shown=asked.asked_version)

    def request(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Ask for a rollback in nobody's name, as a program does: that is no signature.

        Where one is enough it is run: the program answers for its caller. Else it waits for all the signatures that the rules ask for.
        One that waits already is left as it is.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to put back, or somebody changed the resource since.
            ActionError: the resource cannot be read.
            StateError: somebody was faster.
        """
        if self.remediation.policy.rollback_approvals <= 1:
            return self.runner.roll_back(execution_id, actor)
        execution = self.remediation.store.get(execution_id)
        refuse_without_rollback(execution)
        asked = execution.rollback
        if asked is None or self._is_over(asked):
            return self._request(execution, actor)
        self._refuse_drifted(execution, asked)
        return self._run_if_signed(execution, actor)

    def refuse(self, execution_id: str, actor: Actor, *, shown: int | None = None) -> PlaybookExecution:
        """Record a no to the rollback that waits. Approvers may, and whoever asked for it may withdraw.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: nothing waits, another one than was `shown` waits, or this person may not.
            StateError: somebody was faster.
        """
        execution = self.remediation.store.get(execution_id)
        person = self.allow_refusal(execution, actor, shown=shown)
        asked = _waiting(execution).digest
        refused = replace(self._decided(execution, Verdict.REFUSE_ROLLBACK, person, asked), rollback=None)
        return self.remediation.save(execution, refused, "rollback.refused", person, rollback_digest=asked)

    def allow_refusal(self, execution: PlaybookExecution, actor: Actor, *, shown: int | None = None) -> Actor:
        """Return who says no, where they may say it to the rollback that waits; see `refuse`. Stores nothing.

        Raises:
            RefusedError: nothing waits, another one than was `shown` waits, or this person may not.
        """
        asked = _waiting(execution)
        _refuse_unseen(execution, shown)
        terms = self.remediation.policy.terms_of(execution)
        person = self.remediation.look_up(actor, terms)
        if not person.actor.is_same_person(asked.requester):
            refuse_outsider(terms, person)
        return person.actor

    def expire(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Take back a rollback that nobody signed in time; one whose time is not over stays.

        Raises:
            StateError: somebody decided meanwhile.
        """
        if execution.rollback is None or not self._is_over(execution.rollback):
            return execution
        return self.remediation.save(execution, replace(execution, rollback=None), "rollback.expired", WORKER)

    def _is_over(self, asked: RollbackRequest) -> bool:
        return self.remediation.clock() >= asked.expires_at

    def _run_if_signed(self, execution: PlaybookExecution, actor: Actor) -> PlaybookExecution:
        if rollback_signers(execution) < self.remediation.policy.rollback_approvals:
            return execution
        return self.runner.roll_back(execution.execution_id, actor)

    def _sign(self, execution: PlaybookExecution, person: Actor) -> PlaybookExecution:
        asked = execution.rollback
        if asked is None or self._is_over(asked):
            return self._request(execution, person)
        self._refuse_drifted(execution, asked)
        if rollback_signers(execution) >= self.remediation.policy.rollback_approvals:
            return execution  # signed, but it could not be run then
        refuse_signing_again(execution, person)
        signed = self._decided(execution, Verdict.SIGN_ROLLBACK, person, asked.digest)
        return self.remediation.save(
            execution, signed, "rollback.signed", person, rollback_digest=asked.digest
        )

    def _request(self, execution: PlaybookExecution, person: Actor) -> PlaybookExecution:
        """Store the rollback as it would be now, with the first signature where a person asks."""
        policy, now = self.remediation.policy, self.remediation.clock()
        settings = self._draw(execution)
        asked = RollbackRequest(
            requester=person,
            asked_at=now,
            asked_version=execution.version,
            expires_at=now + policy.terms_of(execution).expires_after,
            digest=rollback_digest(policy, execution, settings, asked_version=execution.version),
            settings=settings,
        )
        asking = replace(self._decided(execution, Verdict.ASK_ROLLBACK, person, asked.digest), rollback=asked)
        about = {"rollback_digest": asked.digest, "settings": [asdict(each) for each in settings]}
        return self.remediation.save(execution, asking, "rollback.requested", person, **about)

    def _draw(self, execution: PlaybookExecution) -> tuple[Restored, ...]:
        refuse_protected(self.runner.planner.policy.protection, execution)
        steps = self.runner.planner.stored_steps(execution.playbook, execution.finding)
        return draw_rollback(execution, steps)

    def _refuse_drifted(self, execution: PlaybookExecution, asked: RollbackRequest) -> None:
        """Void the signatures where what they were given for is no more.

        Raises:
            RefusedError: it is no more.
        """
        try:
            settings = self._draw(execution)
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


def _refuse_unseen(execution: PlaybookExecution, shown: int | None) -> None:
    """Refuse a word on another rollback than the one that was shown: nobody signs what they have not seen.

    Raises:
        RefusedError: says what to look at.
    """
    waits = execution.rollback.asked_version if execution.rollback else 0
    if shown is None or shown == waits:
        return
    if waits:
        raise RefusedError("Somebody asked for this rollback meanwhile. Look at its card before you sign.")
    raise RefusedError("The rollback that was shown no longer waits. The card shows what can be done now.")
