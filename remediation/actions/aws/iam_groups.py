"""A group that denies what its members do without MFA: whether it really does, and what else it gives them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.iam_users import all_pages

_MFA_KEY = "aws:multifactorauthpresent"
_OPERATORS = {"bool", "boolifexists"}


class IamGroup:
    """One group of the account that the client belongs to."""

    def __init__(self, iam: Any, name: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self.name = name
        self._iam = iam
        self._where = {"GroupName": name}

    def refuse_toothless(self) -> list[str]:
        """Return the names of the group's policies, one of which denies what is done without MFA.

        Raises:
            PermanentActionError: none of them does, so that membership would enforce nothing.
            ActionError: the group is not there, or cannot be read.
        """
        policies = self._policies()
        if not any(denies_without_mfa(document) for document in policies.values()):
            raise PermanentActionError(
                f"No policy of the group {self.name} denies what is done without MFA "
                "(Deny with aws:MultiFactorAuthPresent false), so joining it would enforce nothing",
                cause=Cause.INVALID,
            )
        return sorted(policies)

    def add(self, user: str) -> str:
        with aws_errors(f"add {user} to the group {self.name}"):
            return request_id(self._iam.add_user_to_group(**self._where, UserName=user))

    def remove(self, user: str) -> str:
        """Remove a user; one who is no member is fine."""
        with aws_errors(f"remove {user} from the group {self.name}"):
            try:
                return request_id(self._iam.remove_user_from_group(**self._where, UserName=user))
            except self._iam.exceptions.ClientError as error:
                if error_code(error) != "NoSuchEntity":
                    raise
                return ""

    def _policies(self) -> dict[str, object]:
        with aws_errors(f"read the policies of the group {self.name}"):
            return {**dict(self._inline()), **dict(self._attached())}

    def _inline(self) -> Iterator[tuple[str, object]]:
        for name in all_pages(self._iam.list_group_policies, "PolicyNames", **self._where):
            answer = self._iam.get_group_policy(**self._where, PolicyName=name)
            yield str(name), _read(answer["PolicyDocument"])

    def _attached(self) -> Iterator[tuple[str, object]]:
        for policy in all_pages(self._iam.list_attached_group_policies, "AttachedPolicies", **self._where):
            where = {"PolicyArn": policy["PolicyArn"]}
            version = self._iam.get_policy(**where)["Policy"]["DefaultVersionId"]
            answer = self._iam.get_policy_version(**where, VersionId=version)
            yield str(policy["PolicyName"]), _read(answer["PolicyVersion"]["Document"])


def _read(document: object) -> object:
    """Return a policy as the SDK gives it: parsed already, or as JSON in URL encoding."""
    if not isinstance(document, str):
        return document
    try:
        return json.loads(unquote(document))
    except ValueError:
        return None


def denies_without_mfa(document: object) -> bool:
    """Tell whether a policy has a Deny for whoever did not sign in with MFA."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    entries = statements if isinstance(statements, list) else [statements]
    return any(isinstance(entry, Mapping) and _is_deny(entry) for entry in entries)


def _is_deny(statement: Mapping[str, Any]) -> bool:
    condition = statement.get("Condition")
    if statement.get("Effect") != "Deny" or not isinstance(condition, Mapping):
        return False
    return any(operator.casefold() in _OPERATORS and _wants_mfa(keys) for operator, keys in condition.items())


def _wants_mfa(keys: object) -> bool:
    if not isinstance(keys, Mapping):
        return False
    values = next((value for key, value in keys.items() if key.casefold() == _MFA_KEY), None)
    return str(values[0] if isinstance(values, list) and values else values).casefold() == "false"
