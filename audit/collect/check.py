"""A check: what has to be so, how bad it is where it is not, and the finding that says which of the two it is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.collect.facts import Facts, Unread
from audit.findings import Finding, FindingStatus, Severity
from audit.ingest.categories import category_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is so, and a sentence about this very resource."""

    passed: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A resource, where it is, and what was read of it. `when` is the time of the reading, aware."""

    account_id: str
    resource: str
    when: datetime
    facts: Facts
    region: str = ""


Judge = Callable[[Facts, datetime], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about one kind of resource.

    `needs` are the facts it is asked of: where one was not looked at there is no finding, where one could not be read a
    person has to look. Checks go by the names that Prowler gives them, because playbooks know those.
    """

    check_id: str
    title: str
    severity: Severity
    resource_type: str
    needs: tuple[str, ...]
    judge: Judge
    description: str
    remediation: str
    reference_url: str = ""

    def about(self, subject: Subject) -> Finding | None:
        """Return the finding about a subject; None where what it needs was not looked at.

        Raises:
            InputError: a fact is of the wrong kind.
        """
        if any(name not in subject.facts for name in self.needs):
            return None
        status, evidence = self._decide(subject)
        service = self.check_id.partition("_")[0]
        return Finding(
            id=f"{self.check_id}:{subject.resource}:{subject.region}",
            title=self.title,
            severity=self.severity,
            category=category_of(self.check_id, service),
            resource=subject.resource,
            description=self.description,
            remediation=self.remediation,
            status=status,
            check_id=self.check_id,
            resource_type=self.resource_type,
            provider="aws",
            account_id=subject.account_id,
            region=subject.region,
            service=service,
            evidence=evidence,
            reference_url=self.reference_url,
            observed_at=subject.when,
        )

    def _decide(self, subject: Subject) -> tuple[FindingStatus, str]:
        unread = [value for name in self.needs if isinstance(value := subject.facts[name], Unread)]
        if unread:
            return FindingStatus.MANUAL, str(unread[0])
        verdict = self.judge(subject.facts, subject.when)
        return FindingStatus.PASS if verdict.passed else FindingStatus.FAIL, verdict.evidence


def judge_all(checks: Iterable[Check], subject: Subject) -> Iterator[Finding]:
    """Yield what all checks say about a subject.

    Raises:
        InputError: a fact is of the wrong kind.
    """
    for check in checks:
        if finding := check.about(subject):
            yield finding
