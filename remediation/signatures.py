"""Who signed what, as the trail keeps it for steps that only people can do."""

from remediation.execution import PlaybookExecution


def signatures(execution: PlaybookExecution) -> list[dict[str, object]]:
    """Return who approved the plan as it stands, when, and the reason they gave, if any."""
    return [
        {
            "by": decision.actor.to_dict(),
            "at": decision.at.isoformat(),
            "plan_digest": decision.plan_digest,
            **({"reason": decision.reason} if decision.reason else {}),
        }
        for decision in execution.approvals
    ]
