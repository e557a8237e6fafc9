"""What is different between the plan that people signed and the one that would run now."""

from collections.abc import Iterator

from remediation.plan import ActionPlan, Change, Plan, changes_between

_ANEW = Change(setting="Plan", before="as signed", after="drawn up anew")


def drift_between(signed: Plan | None, now: Plan) -> tuple[Change, ...]:
    """Return the differences, most telling first. Two plans with different digests always have one."""
    if signed is None or len(signed.actions) != len(now.actions):
        return (_ANEW,)
    pairs = list(zip(signed.actions, now.actions, strict=True))
    changes = [change for old, new in pairs for change in changes_between(old.before, new.before)]
    if signed.policy_digest != now.policy_digest:
        changes.append(Change(setting="Approval rules", before="as signed", after="changed"))
    changes += [change for old, new in pairs for change in _differences(old, new)]
    return tuple(changes) or (_ANEW,)


def _differences(old: ActionPlan, new: ActionPlan) -> Iterator[Change]:
    """Yield what is different in one action beside the resource's state."""
    if old.target != new.target:
        yield Change(setting="Resource", before=_place(old), after=_place(new))
    if old.before == new.before and old.after != new.after:
        yield Change(setting="What the fix would set", before="as signed", after="changed")
    if _manner(old) != _manner(new):
        yield Change(setting="How it is done", before="as signed", after="changed")


def _place(plan: ActionPlan) -> str:
    target = plan.target
    return " ".join(filter(None, (target.resource, target.account_id, target.region)))


def _manner(plan: ActionPlan) -> tuple[object, ...]:
    return (plan.action_name, plan.action, dict(plan.params), plan.reversible, plan.idempotent, plan.effect)


def spell(change: Change) -> dict[str, object]:
    """Return a difference for the trail."""
    return {"setting": change.setting, "before": change.before, "now": change.after}
