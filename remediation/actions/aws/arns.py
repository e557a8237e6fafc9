"""Amazon resource names: `arn:partition:service:region:account:resource`."""

from dataclasses import dataclass, replace
from typing import Self

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.partitions import HOMES
from remediation.plan import Target

_PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """The five parts after `arn`; `resource` is all that follows the account."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the parts; None where it is no ARN."""
        parts = text.strip().split(":", _PARTS - 1)
        if len(parts) != _PARTS or parts[0] != "arn" or parts[1] not in HOMES or not parts[5]:
            return None
        return cls(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])

    def place(self, target: Target) -> Target:
        """Return a target in this ARN's account and region, where it names them; a global service gets its home region.

        Raises:
            PermanentActionError: the finding names another account than the ARN.
        """
        if target.account_id and self.account and target.account_id != self.account:
            raise PermanentActionError(
                f"The finding names account {target.account_id}, but {target.resource} is in {self.account}",
                cause=Cause.WRONG_ACCOUNT,
            )
        region = self.region or target.region or HOMES[self.partition]
        return replace(target, account_id=self.account or target.account_id, region=region)
