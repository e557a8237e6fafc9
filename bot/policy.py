"""The configuration's `policy` section: who may approve, and what it takes."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from audit.errors import ConfigError
from audit.findings import Severity
from bot.sections import ChannelId, Section
from remediation.attention import Attention
from remediation.policy import DEFAULT_EXPIRY, Policy
from remediation.protection import Protection
from remediation.rules import BreakGlass, Rule

Approver = Annotated[str, StringConstraints(pattern=r"^([UWS][A-Z0-9]{2,}|[^@\s]+@[^@\s]+)$")]
Named = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Place = Annotated[str, StringConstraints(pattern=r"^[CGUW][A-Z0-9]{2,}$")]
Level = Literal["critical", "high", "medium", "low", "info"]
Minutes = Annotated[int, Field(ge=5, le=60 * 24 * 30)]
Approvals = Annotated[int, Field(ge=1, le=10)]
MOST_RULES = 100


class RuleSection(Section):
    """Approvers and terms of their own for some severities, accounts or playbooks. The first rule that fits decides alone."""

    severities: list[Level] = Field(
        default_factory=list, description="Severities of findings, in lower case."
    )
    accounts: list[Named] = Field(
        default_factory=list, description="Accounts, projects or subscriptions, in quotes."
    )
    playbooks: list[Named] = Field(default_factory=list, description="Playbooks, by id.")
    approvers: list[Approver] | None = Field(
        default=None,
        min_length=1,
        description="Slack member ids (U…), user group ids (S…) or email addresses; without it, the section's.",
    )
    required_approvals: Approvals | None = None
    expires_after_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _check_use(self) -> "RuleSection":
        if not (self.severities or self.accounts or self.playbooks):
            raise ValueError(
                "names no severities, accounts or playbooks: what holds for everything stands in policy itself"
            )
        if self.approvers is None and self.required_approvals is None and self.expires_after_minutes is None:
            raise ValueError("says nothing: give approvers, required_approvals or expires_after_minutes")
        return self

    def build(self) -> Rule:
        """Return the rule as remediation knows it."""
        people, groups = _split(self.approvers or ())
        minutes = self.expires_after_minutes
        return Rule(
            severities=frozenset(Severity(level.upper()) for level in self.severities),
            accounts=frozenset(self.accounts),
            playbooks=frozenset(self.playbooks),
            approvers=None if self.approvers is None else people,
            approver_groups=None if self.approvers is None else groups,
            required_approvals=self.required_approvals,
            expires_after=None if minutes is None else timedelta(minutes=minutes),
        )


class BreakGlassSection(Section):
    """Who may approve alone in an emergency. A second person reviews it afterwards."""

    people: list[Annotated[str, StringConstraints(pattern=r"^([UW][A-Z0-9]{2,}|[^@\s]+@[^@\s]+)$")]] = Field(
        min_length=1, description="Slack member ids (U…) or email addresses: people, no groups."
    )
    channel: ChannelId | None = Field(default=None, description="A channel that hears of it at once.")
    review_within_hours: int = Field(default=24, ge=1, le=24)

    def build(self) -> BreakGlass:
        """Return the rule as remediation knows it."""
        return BreakGlass(
            people=frozenset(self.people),
            channel=self.channel or "",
            review_within=timedelta(hours=self.review_within_hours),
        )


class PolicySection(Section):
    """Who may approve, and what it takes."""

    approvers: list[Approver] = Field(
        min_length=1, description="Slack member ids (U…), user group ids (S…) or email addresses."
    )
    required_approvals: Approvals = 1
    allow_self_approval: bool = Field(
        default=False, description="For one-person teams only; every card says that it is on."
    )
    expires_after_minutes: Minutes = int(DEFAULT_EXPIRY.total_seconds() // 60)
    unattended_playbooks: list[str] = Field(
        default_factory=list, description="Playbooks that may run without a person, by id."
    )
    remind_before_minutes: int | None = Field(
        default=60,
        ge=1,
        description="How long before the time to decide is over approvers are reminded; null for never.",
    )
    escalate_to: list[Place] = Field(
        default_factory=list,
        max_length=10,
        description="Channels (C…) and people (U…) to be told when nobody decided in time.",
    )
    rollback_approvals: int = Field(
        default=1, ge=1, le=5, description="How many people sign a rollback, whoever asks for it included."
    )
    break_glass: BreakGlassSection | None = None
    longest_exception_days: int = Field(
        default=90, ge=1, le=366, description="How far away the end of an exception may be, in days."
    )
    rules: list[RuleSection] = Field(
        default_factory=list,
        max_length=MOST_RULES,
        description="Terms of their own for some executions; the first that fits decides, this section where none does.",
    )

    @field_validator("rules")
    @classmethod
    def _check_reach(cls, rules: list[RuleSection]) -> list[RuleSection]:
        built = [rule.build() for rule in rules]
        for later, rule in enumerate(built):
            earlier = next((place for place in range(later) if built[place].covers(rule)), None)
            if earlier is not None:
                raise ValueError(
                    f"policy.rules.{later} never decides: policy.rules.{earlier} fits all that it fits, and comes first"
                )
        return rules

    @model_validator(mode="after")
    def _check_enough_people(self) -> "PolicySection":
        _refuse_too_few("policy", self.approvers, self.required_approvals)
        for place, rule in enumerate(self.rules):
            needed = rule.required_approvals or self.required_approvals
            _refuse_too_few(f"policy.rules.{place}", rule.approvers or self.approvers, needed)
        return self

    def refuse_unknown_playbooks(self, known: Iterable[str]) -> None:
        """Refuse a rule about a playbook that there is not: it would leave the one that was meant to laxer terms.

        Raises:
            ConfigError: names the rule.
        """
        ids = set(known)
        for place, rule in enumerate(self.rules):
            if missing := [name for name in rule.playbooks if name not in ids]:
                raise ConfigError(f"policy.rules.{place}.playbooks: there is no playbook {missing[0]}")

    def to_attention(self) -> Attention:
        """Return whose attention is drawn, and when."""
        minutes = self.remind_before_minutes
        before = None if minutes is None else timedelta(minutes=minutes)
        return Attention(remind_before=before, escalate_to=tuple(self.escalate_to))

    def to_policy(self, protection: Protection) -> Policy:
        """Return the rules as remediation knows them."""
        people, groups = _split(self.approvers)
        return Policy(
            approvers=people,
            approver_groups=groups,
            required_approvals=self.required_approvals,
            allow_self_approval=self.allow_self_approval,
            unattended_playbooks=frozenset(self.unattended_playbooks),
            expires_after=timedelta(minutes=self.expires_after_minutes),
            rollback_approvals=self.rollback_approvals,
            break_glass=self.break_glass.build() if self.break_glass else None,
            longest_exception=timedelta(days=self.longest_exception_days),
            rules=tuple(rule.build() for rule in self.rules),
            protection=protection,
        )


def _split(approvers: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return people (ids and addresses) and user groups apart."""
    names = frozenset(approvers)
    groups = frozenset(name for name in names if name.startswith("S") and "@" not in name)
    return names - groups, groups


def _refuse_too_few(key: str, approvers: Sequence[str], needed: int) -> None:
    """Refuse terms that nobody could ever meet; how many belong to a user group is Slack's to know.

    Raises:
        ValueError: names the key.
    """
    people, groups = _split(approvers)
    if not groups and len(people) < needed:
        raise ValueError(
            f"{key}.required_approvals: {needed} approvals are needed, and {len(people)} people are named"
        )
