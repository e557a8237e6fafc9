"""Where a report has looked: what has to be known before a finding that it does not name counts as fixed."""

from dataclasses import dataclass


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
