"""The configuration's `policy` section: who may approve, and what it takes."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from bot.sections import Section
from remediation.policy import DEFAULT_EXPIRY, Policy
from remediation.protection import Protection

Approver = Annotated[str, StringConstraints(pattern=r"^([UWS][A-Z0-9]{2,}|[^@\s]+@[^@\s]+)$")]


class PolicySection(Section):
    """Who may approve, and what it takes."""

    approvers: list[Approver] = Field(
        min_length=1, description="Slack member ids (U…), user group ids (S…) or email addresses."
    )
    required_approvals: int = Field(default=1, ge=1, le=10)
    allow_self_approval: bool = Field(
        default=False, description="For one-person teams only; every card says that it is on."
    )
    expires_after_minutes: int = Field(
        default=int(DEFAULT_EXPIRY.total_seconds() // 60), ge=5, le=60 * 24 * 30
    )
    unattended_playbooks: list[str] = Field(
        default_factory=list, description="Playbooks that may run without a person, by id."
    )

    def to_policy(self, protection: Protection) -> Policy:
        """Return the rules as remediation knows them."""
        groups = frozenset(name for name in self.approvers if name.startswith("S") and "@" not in name)
        return Policy(
            approvers=frozenset(self.approvers) - groups,
            approver_groups=groups,
            required_approvals=self.required_approvals,
            allow_self_approval=self.allow_self_approval,
            unattended_playbooks=frozenset(self.unattended_playbooks),
            expires_after=timedelta(minutes=self.expires_after_minutes),
            protection=protection,
        )
