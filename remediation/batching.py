"""Asking for several fixes at once: planned side by side, stored together, and what cannot be taken is left out by name."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC

from audit.actor import Actor
from audit.errors import CountersignError, HeldError, NotFoundError, RefusedError, StateError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation.batches import MOST_ITEMS, Batch, Batches, LeftOut, set_digest
from remediation.desk import RACES, addressed
from remediation.excepting import refuse_excepted
from remediation.execution import PlaybookExecution
from remediation.plan import Plan, Target
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.requesting import planned
from remediation.service import Remediation
from remediation.states import PlaybookStatus

_TOLD = 5  # reasons in a refusal; a person who asks for fifty does not read fifty
Taken = list[PlaybookExecution]


@dataclass(frozen=True, slots=True)
class Batching:
    """Takes requests for batches in."""

    remediation: Remediation
    batches: Batches

    def ask(  # noqa: PLR0913 - all are named at each call
        self,
        playbook: RemediationPlaybook,
        findings: Sequence[Finding],
        requester: Actor,
        *,
        batch_id: str,
        channel: str,
        left_out: Sequence[LeftOut] = (),
    ) -> Batch:
        """Plan a fix for each finding and store those that can be decided on; a repeated id returns the stored batch.

        Args:
            playbook: what to do.
            findings: what about, in the order that they are to be shown.
            requester: who asks.
            batch_id: the batch's name.
            channel: where its card goes.
            left_out: what the caller could not take already.

        Raises:
            InputError: the playbook cannot be used; nothing is stored.
            RefusedError: it asks for nobody's approval, there are too many, or nothing is left that can be taken.
        """
        try:
            return self.batches.get(batch_id)
        except NotFoundError:
            pass
        self._refuse(playbook, findings)
        requester, out = self.remediation.introduce(requester), list(left_out)
        taken = self._plan(playbook, list(self._sift(findings, out)), requester, batch_id, channel, out)
        for _ in range(RACES):
            taken = self._drop_held(taken, out)
            _refuse_empty(taken, out)
            refuse_crowd(self.remediation.policy, taken, most=playbook.max_targets)
            try:
                return self._store(_bind(playbook, taken, requester, batch_id, channel, out), taken)
            except HeldError:  # somebody asked for one of them at this moment
                continue
        raise RefusedError("Many people are asking for fixes of these resources at once. Try again.")

    def _refuse(self, playbook: RemediationPlaybook, findings: Sequence[Finding]) -> None:
        self.remediation.planner.check(playbook)
        if not playbook.requires_approval:
            raise RefusedError(
                f"{playbook.playbook_id} asks for nobody's approval, so there is no card to decide on: ask for each finding by itself."
            )
        if len(findings) > MOST_ITEMS:
            raise RefusedError(
                f"That is {len(findings)} findings, and one decision may be about {MOST_ITEMS} at the most. Ask for fewer."
            )

    def _sift(self, findings: Sequence[Finding], out: list[LeftOut]) -> Iterator[Finding]:
        """Yield what is to be planned: each resource once, and nothing that somebody answers for leaving as it is."""
        now, seen = self.remediation.clock(), dict[str, Finding]()
        for finding in findings:
            name = finding.resource.strip().casefold() or finding.fingerprint
            if (first := seen.setdefault(name, finding)) is not finding:
                if first.fingerprint != finding.fingerprint:
                    out.append(leave_out(finding, f"{first.handle} is about the same resource"))
                continue
            try:
                refuse_excepted(self.remediation.exceptions, finding, now=now)
            except RefusedError as error:
                out.append(leave_out(finding, str(error)))
            else:
                yield finding

    def _plan(  # noqa: PLR0913, PLR0917 - private, and called once
        self,
        playbook: RemediationPlaybook,
        findings: Sequence[Finding],
        requester: Actor,
        batch_id: str,
        channel: str,
        out: list[LeftOut],
    ) -> Taken:
        """Return an execution for each finding whose fix could be planned and is needed."""
        taken: Taken = []
        plans = self.remediation.planner.draw_up_many(playbook, findings)
        for finding, plan in zip(findings, plans, strict=True):
            if isinstance(plan, CountersignError):
                out.append(leave_out(finding, plan.explain()))
            elif not plan.is_needed:
                out.append(leave_out(finding, "it already is as it should be"))
            else:
                blank = self.remediation.blank(
                    playbook,
                    finding,
                    requester,
                    execution_id=_execution_id(batch_id, finding),
                    channel=channel,
                    dry_run=False,
                    batch_id=batch_id,
                )
                taken.append(planned(blank, plan, needs_approval=True))
        return taken

    def _drop_held(self, taken: Taken, out: list[LeftOut]) -> Taken:
        """Return what nobody works on; who works on the others is said by name."""
        holders = self.batches.holders(each.held for each in taken if each.held)
        free: Taken = []
        for execution in taken:
            holder = holders.get(execution.held)
            # An item's own id holds where another process has stored this very batch meanwhile: `create` returns that one.
            if holder in {None, execution.execution_id} or self._is_over(holder):
                free.append(execution)
            else:
                out.append(leave_out(execution.finding, f"{holder} is under way on it already"))
        return free

    def _is_over(self, holder: str) -> bool:
        """Tell whether what holds a resource has run out of time; it is closed then."""
        execution = self.remediation.store.get(holder)
        if execution.status is PlaybookStatus.PENDING and self.remediation.clock() >= execution.expires_at:
            with suppress(StateError):  # somebody decided at this moment
                execution = self.remediation.expire(execution)
        return not execution.held

    def _store(self, batch: Batch, taken: Taken) -> Batch:
        remediation, told = self.remediation, addressed(batch.requester)
        asked = [remediation.change("execution.requested", each.requester, each, **told) for each in taken]
        bound = TrailEvent(
            kind="batch.requested",
            actor=batch.requester,
            at=remediation.clock(),
            subject=batch.batch_id,
            detail={
                "playbook_id": batch.playbook_id,
                "created_at": batch.created_at.astimezone(UTC).isoformat(),
                "executions": list(batch.execution_ids),
                "set_digest": set_digest(batch.batch_id, taken),
                "left_out": [[each.finding, each.resource, each.why] for each in batch.left_out],
                **told,
            },
        )
        stored = self.batches.create(batch, taken, [*asked, bound])
        for execution_id in stored.execution_ids:
            remediation.notifier.changed(execution_id)
        return stored


def refuse_crowd(policy: Policy, executions: Sequence[PlaybookExecution], *, most: int) -> None:
    """Refuse a set that would write to more resources than the playbook, or the rules, allow: it counts as one plan.

    Raises:
        RefusedError: with both numbers.
    """
    policy.protection.refuse_crowd(_targets(executions), most=most)


def leave_out(finding: Finding, why: str) -> LeftOut:
    """Return a finding that is not taken, with the reason as a clause."""
    return LeftOut(finding=finding.handle, resource=finding.resource, why=why.rstrip("."))


def _targets(executions: Sequence[PlaybookExecution]) -> Iterator[Target]:
    for execution in executions:
        plan: Plan | None = execution.plan
        yield from (action.target for action in (plan.changing if plan else ()))


def _refuse_empty(taken: Taken, out: Sequence[LeftOut]) -> None:
    if taken:
        return
    reasons = [f"{each.finding}: {each.why}." for each in out[:_TOLD]]
    more = [f"And {len(out) - _TOLD} more."] if len(out) > _TOLD else []
    raise RefusedError(" ".join(["Nothing of this can be asked for.", *reasons, *more]))


def _bind(  # noqa: PLR0913, PLR0917 - private, and called once
    playbook: RemediationPlaybook,
    taken: Taken,
    requester: Actor,
    batch_id: str,
    channel: str,
    out: Sequence[LeftOut],
) -> Batch:
    return Batch(
        batch_id=batch_id,
        playbook_id=playbook.playbook_id,
        playbook_name=playbook.name,
        requester=requester,
        created_at=taken[0].created_at,
        channel=channel,
        execution_ids=tuple(each.execution_id for each in taken),
        left_out=tuple(out),
    )


def _execution_id(batch_id: str, finding: Finding) -> str:
    """Return an item's id: asked for again, it is the same one."""
    return f"x-{hashlib.sha256(f'{batch_id} {finding.fingerprint}'.encode()).hexdigest()[:12]}"
