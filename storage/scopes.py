"""Where a report has looked: what has to be known before a finding that it does not name counts as fixed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from audit.findings import Finding
from storage.columns import column_text, key_text


@dataclass(frozen=True, slots=True)
class Scope:
    """The regions and the checks that a report's findings of one account name.

    A scan runs each of its checks in each of its regions: a resource that is gone leaves no finding behind, in a region
    perhaps not one.
    """

    regions: frozenset[str]
    checks: frozenset[str]

    def covers(self, region: str, check_id: str) -> bool:
        """Tell whether a resource there would have been looked at by this check."""
        return region in self.regions and check_id in self.checks


@dataclass(slots=True)
class Scopes:
    """Scopes by account, gathered while the findings stream by.

    Findings that name no account are an account without a name: where its resources are nobody can tell, so nothing is covered.
    """

    _by_account: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count in where a finding is."""
        known = self._by_account.get(finding.account_id)
        if known is None:
            known = self._by_account[finding.account_id] = (set(), set())
        if finding.account_id and finding.check_id:
            known[0].add(finding.region)
            known[1].add(finding.check_id)

    def rows(self, report_key: int) -> Iterator[dict[str, object]]:
        """Yield the columns of each account's row."""
        for account_id, (regions, checks) in self._by_account.items():
            yield {
                "report_key": report_key,
                "account_id": column_text(account_id),
                "regions": sorted(map(column_text, regions)),
                "checks": sorted(map(key_text, checks)),
            }
