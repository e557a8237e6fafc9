"""In which role the bot acts in which AWS account. Data only: the configuration fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.partitions import account_of

ACCOUNT_FIELD = "{account_id}"
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRole:
    """A role to assume: its ARN, and the external id that its trust policy asks for."""

    arn: str
    external_id: SecretStr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccounts:
    """The roles by account.

    `role` is the template for every account that `overrides` does not name, its ARN with `{account_id}` in it. An account with
    neither is reached with the default credential chain. `region` is where to ask when the resource does not say.
    """

    role: AwsRole | None = None
    overrides: Mapping[str, AwsRole] = field(default_factory=dict)
    region: str = ""

    def role_for(self, account_id: str) -> AwsRole | None:
        """Return the role to assume in an account; None says to act as whoever we are.

        Raises:
            PermanentActionError: the account is no account id, or the role belongs to another account.
        """
        role = self.overrides.get(account_id, self.role)
        if role is None:
            return None
        if len(account_id) != _DIGITS or not account_id.isdecimal() or not account_id.isascii():
            raise _wrong(f"“{account_id[:60]}” is not an AWS account id")
        arn = role.arn.replace(ACCOUNT_FIELD, account_id)
        if account_of(arn) != account_id:
            raise _wrong(f"The role {arn} is not one of account {account_id}")
        return AwsRole(arn=arn, external_id=role.external_id)


def _wrong(why: str) -> PermanentActionError:
    return PermanentActionError(f"{why}: look at accounts.aws", cause=Cause.WRONG_ACCOUNT)
