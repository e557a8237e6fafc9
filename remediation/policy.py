"""What the rules in force say about an execution, and whether it is signed. What cannot be answered is answered with no."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from audit.actor import POLICY, Actor
from audit.canonical import digest
from audit.errors import RefusedError
from audit.findings import Finding
from remediation.execution import Decision, Glimpse, PlaybookExecution, Verdict
from remediation.plan import Target
from remediation.protection import Protection
from remediation.rules import BreakGlass, Rule, Terms, first_fitting, is_named

DEFAULT_EXPIRY = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules in force.

    `approvers` holds Slack member ids and email addresses, `approver_groups` Slack user group ids.
    `anyone_else_may_approve` is for programs that bring their own gate: any resolved person but the requester may decide.
    `unattended_playbooks` names those that the policy itself may sign when they ask for no person; None allows all.
    `rollback_approvals` counts whoever asks for the rollback. `break_glass` is None where nobody may.
    `longest_exception` says how far away the end of an exception may be; it changes nothing about what is approved, so it is no part
    of the digest. The first of `rules` that fits an execution says who approves it instead.
    """

    approvers: frozenset[str] = frozenset()
    approver_groups: frozenset[str] = frozenset()
    anyone_else_may_approve: bool = False
    required_approvals: int = 1
    allow_self_approval: bool = False
    unattended_playbooks: frozenset[str] | None = frozenset()
    expires_after: timedelta = DEFAULT_EXPIRY
    rules: tuple[Rule, ...] = ()
    rollback_approvals: int = 1
    break_glass: BreakGlass | None = None
    protection: Protection = field(default_factory=Protection)
    longest_exception: timedelta = timedelta(days=90)

    @cached_property
    def digest(self) -> str:
        """Return the digest that plans carry, so that a change of rules voids what was approved under others."""
        return digest(
            {
                "approvers": sorted(self.approvers),
                "approver_groups": sorted(self.approver_groups),
                "anyone_else_may_approve": self.anyone_else_may_approve,
                "required_approvals": self.required_approvals,
                "allow_self_approval": self.allow_self_approval,
                "unattended_playbooks": None
                if self.unattended_playbooks is None
                else sorted(self.unattended_playbooks),
                "expires_after_s": int(self.expires_after.total_seconds()),
                "rollback_approvals": self.rollback_approvals,
                "break_glass": self.break_glass.to_dict() if self.break_glass else None,
                "rules": [rule.to_dict() for rule in self.rules],
                "protection": self.protection.to_dict(),
            }
        )

    def terms_of(self, execution: PlaybookExecution) -> Terms:
        """Return what an execution takes."""
        return self.terms_for(execution.finding, execution.playbook_id)

    def terms_for(self, finding: Finding, playbook_id: str) -> Terms:
        """Return what the fix of a finding by a playbook takes."""
        return self.terms_at(first_fitting(self.rules, finding, playbook_id, finding.account_id))

    def terms_at_a_glance(self, glimpse: Glimpse) -> Terms:
        """Return what an execution takes of which a sweep knows no more."""
        fits = (
            place
            for place, rule in enumerate(self.rules)
            if rule.fits(
                severity=glimpse.severity, account_id=glimpse.account_id, playbook_id=glimpse.playbook_id
            )
        )
        return self.terms_at(next(fits, None))

    def terms_by_rule(self, playbook_id: str) -> Iterator[tuple[str, Terms]]:
        """Yield, in order, when a rule decides about a playbook, and what it takes then; the section itself comes last."""
        for place, rule in enumerate(self.rules):
            if not rule.playbooks or playbook_id in rule.playbooks:
                yield rule.describe(), self.terms_at(place)
        yield "everything else" if self.rules else "", self.terms_at(None)

    def terms_at(self, place: int | None) -> Terms:
        """Return what the rule at a place (from 0) asks for; None is the section itself."""
        rule = Rule() if place is None else self.rules[place]
        names_its_own = rule.approvers is not None or rule.approver_groups is not None
        return Terms(
            approvers=(rule.approvers or frozenset()) if names_its_own else self.approvers,
            approver_groups=(rule.approver_groups or frozenset()) if names_its_own else self.approver_groups,
            required_approvals=rule.required_approvals or self.required_approvals,
            expires_after=rule.expires_after or self.expires_after,
            anyone_else_may_approve=self.anyone_else_may_approve and not names_its_own,
            source="policy" if place is None else f"policy.rules.{place}",
            rule="" if place is None else rule.describe(),
        )

    def refuse_unclear(self, finding: Finding, playbook_id: str, targets: Iterable[Target]) -> None:
        """Refuse a plan whose accounts leave open which rule decides: a report may name another one than it would act in.

        Raises:
            RefusedError: with the accounts.
        """
        if not any(rule.accounts for rule in self.rules):
            return
        accounts = {finding.account_id, *(target.account_id for target in targets)}
        if "" in accounts:
            raise RefusedError(
                "Its account is not known, and `policy.rules` asks for different approvers by account."
            )
        deciding = {first_fitting(self.rules, finding, playbook_id, account) for account in accounts}
        if len(deciding) > 1:
            raise RefusedError(
                f"It concerns {' and '.join(sorted(accounts))}, and `policy.rules` asks for different approvers there."
            )

    def lets_run_unattended(self, playbook_id: str) -> bool:
        """Tell whether a playbook that asks for no person may do without one."""
        return self.unattended_playbooks is None or playbook_id in self.unattended_playbooks

    def signs_for(self, execution: PlaybookExecution) -> bool:
        """Tell whether the policy itself may sign: the playbook asks for no person, and the rules let it."""
        asks_nobody = execution.playbook.get("requires_approval") is False
        return asks_nobody and self.lets_run_unattended(execution.playbook_id)


EXECUTOR_DEFAULT = Policy(anyone_else_may_approve=True, unattended_playbooks=None)


def is_approved(policy: Policy, execution: PlaybookExecution) -> bool:
    """Tell whether enough people have signed the plan as it stands.

    A digest other than the plan's is no signature on it. People are counted, not signatures, and whoever asked counts only where
    the rules let them. The policy's own signature is enough for a playbook that asks for nobody, and for no other; that of a person
    who broke the glass as long as the policy names them.
    """
    if broken_glass(policy, execution):
        return True
    signatures = [each for each in on_this_plan(execution) if each.verdict is Verdict.APPROVE]
    if any(decision.actor == POLICY for decision in signatures):
        return policy.signs_for(execution)
    requester = None if policy.allow_self_approval else execution.requester
    return (
        count_people([each.actor for each in signatures], but=requester) >= policy.terms_of(execution).needed
    )


def broken_glass(policy: Policy, execution: PlaybookExecution) -> Decision | None:
    """Return the decision of somebody who broke the glass for the plan as it stands, and whom the policy still names."""
    if policy.break_glass is None:
        return None
    for decision in on_this_plan(execution):
        is_whole = decision.verdict is Verdict.BREAK_GLASS and decision.reason.strip()
        if is_whole and is_named(decision.actor, policy.break_glass.people):
            return decision
    return None


def refuse_time(policy: Policy, execution: PlaybookExecution, *, now: datetime) -> None:
    """Refuse to run now, where the calendar says no. Broken glass opens windows, and no freeze.

    Raises:
        RefusedError: says when changes may run.
    """
    policy.protection.refuse_freeze(now)
    if not broken_glass(policy, execution):
        policy.protection.refuse_window(now)


def on_this_plan(execution: PlaybookExecution) -> list[Decision]:
    """Return the decisions that were made on the plan as it stands: same revision, same digest."""
    if execution.plan is None:
        return []
    digest_now = execution.plan.digest
    return [
        decision
        for decision in execution.decisions
        if decision.revision == execution.revision and decision.plan_digest == digest_now
    ]


def count_people(actors: Iterable[Actor], *, but: Actor | None = None) -> int:
    """Return how many different people these are, at the least: who cannot be told apart is one, who is unknown is nobody.

    Args:
        actors: by whatever they were known at the time; one may link two others, with the id of one and the address of the other.
        but: somebody who does not count, nor does anyone who may be them.
    """
    circles: list[list[Actor]] = []
    for actor in filter(lambda each: each.is_resolved, actors):
        mine = [circle for circle in circles if any(_may_be_same(actor, known) for known in circle)]
        circles = [circle for circle in circles if circle not in mine]
        circles.append([actor, *(known for circle in mine for known in circle)])
    if but is not None:
        circles = [circle for circle in circles if not any(known.is_same_person(but) for known in circle)]
    return len(circles)


def _may_be_same(one: Actor, other: Actor) -> bool:
    return one.is_same_person(other) or not one.is_comparable(other)
