"""Deciding about a fix: every signature and every no is one stored change."""

from dataclasses import dataclass, replace
from functools import partial

from audit.actor import POLICY, Actor
from audit.errors import InputError, RefusedError
from audit.finding_fields import clean
from audit.trail import TrailEvent
from remediation.desk import Desk, Move
from remediation.excepted import FindingException
from remediation.excepting import ExceptionWish, about, make_exception, refuse_excepted, refuse_term
from remediation.execution import PlaybookExecution, Verdict
from remediation.planning import planned_results
from remediation.policy import is_approved
from remediation.refusals import (
    refuse_late,
    refuse_live,
    refuse_outsider,
    refuse_owner,
    refuse_same_person,
    refuse_self_approval,
    refuse_twice,
    refuse_unfit,
    refuse_without_rollback,
)
from remediation.rules import is_named, mark
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
        return self.decide(partial(self._approve_once, clean(reason.strip())), execution_id, actor, revision)

    def _approve_once(
        self, reason: str, execution: PlaybookExecution, actor: Actor, revision: int | None
    ) -> PlaybookExecution:
        return self.make(self.approval(execution, actor, revision=revision, reason=reason))

    def approval(
        self, execution: PlaybookExecution, actor: Actor, *, revision: int | None, reason: str
    ) -> Move:
        """Return the change that a person's signature makes, once every gate has let it through.

        Raises:
            RefusedError: this person may not, or not now.
        """
        refuse_late(execution, revision=revision, now=self.clock())
        refuse_excepted(self.exceptions, execution.finding, now=self.clock())
        self.policy.protection.refuse_time(self.clock())
        refuse_same_person(self.policy, execution.requester, actor)
        terms = self.policy.terms_of(execution)
        person = self.look_up(actor, terms)
        refuse_self_approval(self.policy, self._requester(execution), person.actor)
        refuse_twice(execution, person.actor)
        refuse_outsider(terms, person)
        signed = self.signed(execution, Verdict.APPROVE, person.actor, reason=reason)
        is_enough = is_approved(self.policy, signed)
        return Move(
            before=execution,
            after=_for_real(signed) if is_enough else signed,
            kind="execution.approved" if is_enough else "execution.signed",
            actor=person.actor,
            detail={"reason": reason} if reason else {},
        )

    def approve_by_policy(self, execution: PlaybookExecution) -> PlaybookExecution:
        """Let the policy itself sign a playbook that needs no person; recorded as the policy's decision.

        Raises:
            RefusedError: the plan has expired, somebody answers for leaving the finding as it is, or the playbook does ask for a person.
            StateError: it is no longer pending.
        """
        if not self.policy.signs_for(execution):
            raise RefusedError(f"{execution.playbook_id} needs a person's approval")
        refuse_late(execution, revision=None, now=self.clock())
        refuse_excepted(self.exceptions, execution.finding, now=self.clock())
        self.policy.protection.refuse_time(self.clock())
        signed = self.signed(execution, Verdict.APPROVE, POLICY)
        return self.save(execution, _for_real(signed), "execution.approved", POLICY)

    def break_glass(
        self, execution_id: str, actor: Actor, *, reason: str, revision: int | None = None
    ) -> PlaybookExecution:
        """Approve alone, in an emergency: no second person and no window is waited for, and everything else holds.

        Raises:
            NotFoundError: there is no such execution.
            InputError: no reason was given.
            RefusedError: the policy does not let this person, or not now; nothing was decided.
        """
        if not reason.strip():
            raise InputError("breaking the glass needs a reason")
        return self.decide(partial(self._break_once, clean(reason.strip())), execution_id, actor, revision)

    def _break_once(
        self, reason: str, execution: PlaybookExecution, actor: Actor, revision: int | None
    ) -> PlaybookExecution:
        now, glass = self.clock(), self.policy.break_glass
        refuse_late(execution, revision=revision, now=now)
        if glass is None:
            raise RefusedError("Nobody may break the glass here: `policy.break_glass` is not set.")
        refuse_excepted(self.exceptions, execution.finding, now=now)
        self.policy.protection.refuse_freeze(now)
        person = self.look_up(actor, self.policy.terms_of(execution))
        refuse_unfit(person)
        if not is_named(person.actor, glass.people):
            raise RefusedError(f"You may not break the glass. Who may: {mark(sorted(glass.people))}.")
        signed = self.signed(execution, Verdict.BREAK_GLASS, person.actor, reason=reason)
        due = now + glass.review_within
        broken = replace(_for_real(signed), review_due_at=due)
        detail = {"reason": reason, "review_due_at": due.isoformat()}
        return self.save(execution, broken, "execution.break_glass", person.actor, **detail)

    def review(self, execution_id: str, actor: Actor) -> PlaybookExecution:
        """Record that a second person has looked at what was run under broken glass.

        Raises:
            NotFoundError: there is no such execution.
            RefusedError: there is nothing to review, it is running or being put back at this moment, or this person may not.
        """
        return self.decide(self._review_once, execution_id, actor, None)

    def _review_once(
        self, execution: PlaybookExecution, actor: Actor, _revision: int | None
    ) -> PlaybookExecution:
        glass = execution.unreviewed
        if glass is None:
            raise RefusedError("There is nothing to review here, or somebody has reviewed it already.")
        refuse_live(execution)
        terms = self.policy.terms_of(execution)
        person = self.look_up(actor, terms)
        if person.actor.is_same_person(glass.actor) or not person.actor.is_comparable(glass.actor):
            raise RefusedError("You broke the glass, so somebody else has to review it.")
        refuse_outsider(terms, person)
        reviewed = self.signed(execution, Verdict.REVIEWED, person.actor)
        return self.save(execution, replace(reviewed, review_due_at=None), "execution.reviewed", person.actor)

    def reject(
        self,
        execution_id: str,
        actor: Actor,
        *,
        reason: str,
        revision: int | None = None,
        wish: ExceptionWish | None = None,
    ) -> PlaybookExecution:
        """Record a person's no. Approvers may, and whoever asked may withdraw.

        With a `wish` the finding is left as it is for a while, and cannot be asked for meanwhile. That is stored with the
        rejection, or neither is, and only an approver other than whoever asked may grant it.

        Raises:
            NotFoundError: there is no such execution.
            InputError: no reason was given, or the exception would be over already or last too long.
            RefusedError: this person may not, or not now.
        """
        if not reason.strip():
            raise InputError("a rejection needs a reason")
        reject_once = partial(self._reject_once, clean(reason.strip()), wish)
        return self.decide(reject_once, execution_id, actor, revision)

    def _reject_once(
        self,
        reason: str,
        wish: ExceptionWish | None,
        execution: PlaybookExecution,
        actor: Actor,
        revision: int | None,
    ) -> PlaybookExecution:
        move = self.rejection(execution, actor, revision=revision, reason=reason, may_withdraw=wish is None)
        if wish is None:
            return self.make(move)
        exception = self.exception(move, wish)
        rejected, granted = self.granting(move, exception)
        stored = self.exceptions.grant(execution, move.after, exception, [rejected, granted])
        self.notifier.changed(stored.execution_id)
        return stored

    def rejection(
        self,
        execution: PlaybookExecution,
        actor: Actor,
        *,
        revision: int | None,
        reason: str,
        may_withdraw: bool = True,
    ) -> Move:
        """Return the change that a person's no makes; whoever asked may withdraw.

        Raises:
            RefusedError: this person may not, or not now.
        """
        refuse_late(execution, revision=revision, now=self.clock())
        terms = self.policy.terms_of(execution)
        person = self.look_up(actor, terms)
        if not may_withdraw or not person.actor.is_same_person(execution.requester):
            refuse_outsider(terms, person)
        signed = self.signed(execution, Verdict.REJECT, person.actor, reason=reason)
        return Move(
            before=execution,
            after=signed.moved(PlaybookStatus.REJECTED, ended_at=self.clock()),
            kind="execution.rejected",
            actor=person.actor,
            detail={"reason": reason},
        )

    def exception(self, rejection: Move, wish: ExceptionWish) -> FindingException:
        """Return the exception that goes with a rejection, once every gate has let it through; the rejection's is `may_withdraw=False`.

        Raises:
            InputError: it would be over already or last too long.
            RefusedError: this person may not grant it, or the owner cannot answer for it.
        """
        before, now = rejection.before, self.clock()
        refuse_self_approval(self.policy, self._requester(before), rejection.actor)
        refuse_term(wish, now=now, longest=self.policy.longest_exception)
        owner = rejection.actor
        if wish.owner is not None:
            person = self.look_up(wish.owner, self.policy.terms_of(before))
            refuse_owner(person)
            owner = person.actor
        reason = rejection.after.decisions[-1].reason
        return make_exception(before, wish, owner=owner, reason=reason, now=now)

    def granting(
        self, rejection: Move, exception: FindingException, **bound: object
    ) -> tuple[TrailEvent, TrailEvent]:
        """Return the entries of a rejection and of the exception that it grants."""
        detail = {**rejection.detail, **bound, "exception": dict(about(exception))}
        rejected = self.change(rejection.kind, rejection.actor, rejection.after, **detail)
        granted = TrailEvent(
            kind="exception.granted",
            actor=rejection.actor,
            at=exception.granted_at,
            subject=exception.exception_id,
            detail=about(exception),
        )
        return rejected, granted

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
