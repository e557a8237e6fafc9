"""The rules in force for the items of a batch, as its card says them."""

from handlers.blocks.batch_card import Asked, BatchRules
from handlers.services import Services
from remediation.batches import Members


def rules_for(services: Services, members: Members) -> BatchRules:
    """Return what the card says about the rules in force."""
    policy = services.remediation.policy
    asked = {
        each.execution_id: Asked(required_approvals=terms.needed, approvers=terms.describe_approvers())
        for each in members.executions
        for terms in [policy.terms_of(each)]
    }
    return BatchRules(
        asked=asked,
        rollback_approvals=policy.rollback_approvals,
        allows_self_approval=policy.allow_self_approval,
        allows_breaking_glass=policy.break_glass is not None,
        environment=services.environment,
    )
