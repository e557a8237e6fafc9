"""Who signed what, as the trail keeps it for steps that only people can do."""

from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.policy import on_this_plan


def signatures(execution: PlaybookExecution) -> list[dict[str, object]]:
    """Return who approved the plan as it stands, when, and the reason they gave, if any."""
    return [
        {
            "by": decision.actor.to_dict(),
            "at": decision.at.isoformat(),
            "plan_digest": decision.plan_digest,
            **({"break_glass": True} if decision.verdict is Verdict.BREAK_GLASS else {}),
            **({"reason": decision.reason} if decision.reason else {}),
        }
        for decision in (*execution.approvals, *_alone(execution))
    ]


def _alone(execution: PlaybookExecution) -> list[Decision]:
    """Return the decisions of people who broke the glass for the plan as it stands."""
    return [each for each in on_this_plan(execution) if each.verdict is Verdict.BREAK_GLASS]
