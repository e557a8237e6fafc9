"""Who has to sign what: rules by severity, account and playbook, and the terms that follow for one execution.

The first rule that fits decides alone, and where none fits the section itself does. Nothing is merged, so that whoever reads
the file from the top knows who may sign (docs/adr/0007-first-rule-that-fits.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from audit.actor import Actor
from audit.findings import Finding, Severity
from remediation.ports import Person

_SHOWN = 12  # names; a card has no room for a whole company
_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one execution takes: who may approve it, how many of them, and how long it waits.

    `approvers` holds Slack member ids and email addresses, `approver_groups` Slack user group ids. `source` is the
    configuration's key that says so, `rule` what that rule is about, in words; empty where no rule fits.
    """

    approvers: frozenset[str]
    approver_groups: frozenset[str]
    required_approvals: int
    expires_after: timedelta
    anyone_else_may_approve: bool = False
    source: str = "policy"
    rule: str = ""

    @property
    def needed(self) -> int:
        """Return how many people have to sign: never none."""
        return max(1, self.required_approvals)

    def names(self, person: Person) -> bool:
        """Tell whether these terms name a person."""
        if self.anyone_else_may_approve:
            return True
        return is_named(person.actor, self.approvers) or not self.approver_groups.isdisjoint(person.groups)

    def describe_approvers(self) -> str:
        """Return who may approve, ids marked with an at sign, for the person who may not."""
        if self.anyone_else_may_approve:
            return "anyone but the requester"
        return mark([*sorted(self.approver_groups), *sorted(self.approvers)]) or (
            f"nobody yet: `{self.source}.approvers` is empty"
        )


def is_named(actor: Actor, names: frozenset[str]) -> bool:
    """Tell whether a list of Slack member ids and email addresses names a person."""
    emails = {name.strip().casefold() for name in names if "@" in name}
    return actor.slack_id in names or actor.email.strip().casefold() in emails


def mark(names: list[str]) -> str:
    """Return names with an at sign before ids, the first dozen of them."""
    marked = [name if "@" in name else f"@{name}" for name in names[:_SHOWN]]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*marked, *more])


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Who may approve alone in an emergency, where everybody hears of it, and how soon a second person has to look at it."""

    people: frozenset[str]
    channel: str = ""
    review_within: timedelta = timedelta(hours=24)

    def to_dict(self) -> dict[str, object]:
        """Return the rule for the policy's digest."""
        seconds = int(self.review_within.total_seconds())
        return {"people": sorted(self.people), "channel": self.channel, "review_within_s": seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Terms of their own for some executions.

    Each of `severities`, `accounts` and `playbooks` has to fit, and an empty one fits everything. What is None is as the section has it.
    """

    severities: frozenset[Severity] = frozenset()
    accounts: frozenset[str] = frozenset()
    playbooks: frozenset[str] = frozenset()
    approvers: frozenset[str] | None = None
    approver_groups: frozenset[str] | None = None
    required_approvals: int | None = None
    expires_after: timedelta | None = None

    def fits(self, *, severity: Severity, account_id: str, playbook_id: str) -> bool:
        """Tell whether this rule is about such an execution."""
        return (
            (not self.severities or severity in self.severities)
            and (not self.accounts or account_id in self.accounts)
            and (not self.playbooks or playbook_id in self.playbooks)
        )

    def covers(self, other: "Rule") -> bool:
        """Tell whether this rule fits wherever the other does, so that the other, coming later, never decides."""
        pairs = (
            (self.severities or frozenset(Severity), other.severities or frozenset(Severity)),
            (self.accounts, other.accounts),
            (self.playbooks, other.playbooks),
        )
        return all(not mine or (theirs and theirs <= mine) for mine, theirs in pairs)

    def describe(self) -> str:
        """Return what it is about, in words."""
        return ", ".join(self._conditions()) or "everything"

    def _conditions(self) -> Iterator[str]:
        if self.severities:
            yield " or ".join(level.value.lower() for level in _WORST_FIRST if level in self.severities)
        if self.accounts:
            yield f"in {' or '.join(sorted(self.accounts))}"
        if self.playbooks:
            yield f"by {' or '.join(sorted(self.playbooks))}"

    def to_dict(self) -> dict[str, object]:
        """Return the rule for the policy's digest."""
        return {
            "severities": sorted(level.value for level in self.severities),
            "accounts": sorted(self.accounts),
            "playbooks": sorted(self.playbooks),
            "approvers": None if self.approvers is None else sorted(self.approvers),
            "approver_groups": None if self.approver_groups is None else sorted(self.approver_groups),
            "required_approvals": self.required_approvals,
            "expires_after_s": None
            if self.expires_after is None
            else int(self.expires_after.total_seconds()),
        }


def first_fitting(rules: tuple[Rule, ...], finding: Finding, playbook_id: str, account_id: str) -> int | None:
    """Return the place (from 0) of the rule that decides; None where no rule fits."""
    for place, rule in enumerate(rules):
        if rule.fits(severity=finding.severity, account_id=account_id, playbook_id=playbook_id):
            return place
    return None
