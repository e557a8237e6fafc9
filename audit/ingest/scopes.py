"""Where a report has looked: what has to be known before a finding that it does not name counts as fixed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from audit.finding_fields import clean, key_text
from audit.findings import Finding


@dataclass(slots=True)
class Scopes:
    """The regions and the checks that findings name, by account, gathered while they stream by.

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

    def rows(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yield each account with its regions and its checks."""
        for account_id, (regions, checks) in self._by_account.items():
            yield clean(account_id), sorted(map(clean, regions)), sorted(map(key_text, checks))
