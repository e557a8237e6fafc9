"""One IAM user: who it is, its groups, its access keys and how they are used."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.arns import Arn
from remediation.actions.aws.errors import aws_errors, error_code
from remediation.actions.aws.tags import Tags, to_tags
from remediation.plan import Target

ACTIVE, INACTIVE = "Active", "Inactive"
_USER = re.compile(r"user(?:/[!-~]+)?/([\w+=,.@-]{1,64})", re.ASCII)
_ROOT = "root"
_NEVER = "N/A"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key without its secret. An id is no secret."""

    key_id: str
    status: str
    created: datetime


class IamUser:
    """A user of the account that a target names."""

    def __init__(self, iam: Any, target: Target) -> None:  # noqa: ANN401 - see `AwsClients`
        self.arn = target.resource
        self.name = user_name(target.resource)
        self._iam = iam
        self._where = {"UserName": self.name}
        self.tags: Tags | None = None

    def refuse_namesake(self) -> None:
        """Refuse a user of the same name in another account than the ARN's: IAM finds users by name alone. Keep its `tags`.

        Raises:
            ActionError: it is another one, is not there, or cannot be read.
        """
        with aws_errors(f"look up {self.arn}"):
            found = self._iam.get_user(**self._where)["User"]
        if found["Arn"] != self.arn:
            raise PermanentActionError(
                f"The bot's credentials see {found['Arn']}, not {self.arn}", cause=Cause.WRONG_ACCOUNT
            )
        self.tags = to_tags(found.get("Tags"))

    def access_keys(self) -> list[AccessKey]:
        """Return the access keys, oldest first.

        Raises:
            ActionError: they cannot be read.
        """
        with aws_errors(f"list the access keys of {self.name}"):
            found = all_pages(self._iam.list_access_keys, "AccessKeyMetadata", **self._where)
        keys = (AccessKey(key["AccessKeyId"], key["Status"], key["CreateDate"]) for key in found)
        return sorted(keys, key=lambda key: (key.created, key.key_id))

    def describe_use(self, key_id: str) -> str:
        """Say when, for which service and where a key was last used.

        Raises:
            ActionError: it cannot be read.
        """
        with aws_errors(f"read when {key_id} was last used"):
            used = self._iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
        if used.get("ServiceName", _NEVER) == _NEVER or "LastUsedDate" not in used:
            return "never used, as far as AWS knows"
        return (
            f"last used {used['LastUsedDate']:%Y-%m-%d %H:%M} UTC, {used['ServiceName']} in {used['Region']}"
        )

    def set_status(self, key_id: str, status: str) -> None:
        """Make a key active or inactive; where it is so already, nothing is written."""
        if any(key.key_id == key_id and key.status == status for key in self.access_keys()):
            return
        with aws_errors(f"set {key_id} of {self.name} to {status}"):
            self._iam.update_access_key(**self._where, AccessKeyId=key_id, Status=status)

    def delete_key(self, key_id: str) -> None:
        """Delete a key; one that is gone already is fine."""
        with aws_errors(f"delete {key_id} of {self.name}"):
            try:
                self._iam.delete_access_key(**self._where, AccessKeyId=key_id)
            except self._iam.exceptions.ClientError as error:
                if error_code(error) != "NoSuchEntity":
                    raise

    def groups(self) -> list[str]:
        """Return the names of the groups it is in.

        Raises:
            ActionError: they cannot be read.
        """
        with aws_errors(f"list the groups of {self.name}"):
            found = all_pages(self._iam.list_groups_for_user, "Groups", **self._where)
        return sorted(str(group["GroupName"]) for group in found)

    def mfa_devices(self) -> list[str]:
        """Return the serial numbers of its MFA devices.

        Raises:
            ActionError: they cannot be read.
        """
        with aws_errors(f"list the MFA devices of {self.name}"):
            found = all_pages(self._iam.list_mfa_devices, "MFADevices", **self._where)
        return [str(device["SerialNumber"]) for device in found]

    def has_console_login(self) -> bool:
        """Tell whether it has a password for the console.

        Raises:
            ActionError: it cannot be read.
        """
        with aws_errors(f"read whether {self.name} has a console password"):
            try:
                self._iam.get_login_profile(**self._where)
            except self._iam.exceptions.ClientError as error:
                if error_code(error) != "NoSuchEntity":
                    raise
                return False
        return True


def all_pages(call: Callable[..., Any], entries: str, **where: str) -> list[Mapping[str, Any]]:
    """Return the entries of all pages of one of IAM's lists."""
    found: list[Mapping[str, Any]] = []
    page: Mapping[str, Any] = {"IsTruncated": True}
    while page.get("IsTruncated"):
        marker = {"Marker": page["Marker"]} if "Marker" in page else {}
        page = call(**where, **marker)
        found.extend(page[entries])
    return found


def user_name(resource: str) -> str:
    """Return the name in a user's ARN.

    Raises:
        PermanentActionError: it is no user's.
    """
    arn = Arn.parse(resource)
    match = _USER.fullmatch(arn.resource) if arn and arn.service == "iam" else None
    if match is None:
        raise PermanentActionError(f"“{resource[:120]}” is not an IAM user's ARN", cause=Cause.INVALID)
    return match[1]


def place_user(target: Target, *, if_root: str) -> Target:
    """Return a user as a target in its own account.

    Args:
        target: the finding's.
        if_root: what a person has to do where it is the account's root user, for whom nothing can be automated.

    Raises:
        PermanentActionError: it is no user, or the root user.
    """
    arn = Arn.parse(target.resource)
    if arn and (arn.service, arn.resource) == ("iam", _ROOT):
        raise PermanentActionError(
            f"The root user of {arn.account} cannot be changed by anyone else. By hand: {if_root}",
            cause=Cause.INVALID,
        )
    user_name(target.resource)
    return arn.place(target) if arn else target
