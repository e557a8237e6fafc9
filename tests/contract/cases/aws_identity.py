"""Users of IAM, on moto's server: their groups and their access keys."""

import json
import uuid

from remediation.plan import Target
from tests.contract.cases.aws_logging import AwsCase, written

DENY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "NotAction": ["iam:*"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}
GROUP = f"require-mfa-{uuid.uuid4().hex[:8]}"
NAME = "acme/keys/{user}"


class UserCase(AwsCase):
    """A user of their own for each test."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.iam = self.clients.raw("iam")
        self.user = f"user-{uuid.uuid4().hex[:8]}"
        self.arn = self.iam.create_user(UserName=self.user, Path="/people/")["User"]["Arn"]

    def target(self) -> Target:
        return self.at(self.arn)


class MfaGroupCase(UserCase):
    """Membership in the group that denies what is done without MFA."""

    written = written("iam", "add-user-to-group", {"GroupName": GROUP})
    states = {"outside": (), "in another group": ("other",), "in it already": (GROUP,)}
    unsettled = "in another group"

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        known = {group["GroupName"] for group in self.iam.list_groups()["Groups"]}
        for name in {GROUP, "other"} - known:
            self.iam.create_group(GroupName=name)
        self.iam.put_group_policy(GroupName=GROUP, PolicyName="deny", PolicyDocument=json.dumps(DENY))

    def set_state(self, name: str) -> None:
        for group in self.states[name]:
            self.iam.add_user_to_group(GroupName=group, UserName=self.user)

    def read_raw(self) -> object:
        groups = self.iam.list_groups_for_user(UserName=self.user)["Groups"]
        return sorted(group["GroupName"] for group in groups)


class RotateKeyCase(UserCase):
    """One access key, and a secret that is there or not."""

    written = written("iam", "rotate-access-key", {"SecretName": NAME})
    states = {"no secret": 0, "a secret": 1, "a secret with a previous value": 2}
    unsettled = "a secret with a previous value"

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.secrets = self.clients.raw("secretsmanager")
        self.secret = NAME.replace("{user}", self.user)
        self.old = self.iam.create_access_key(UserName=self.user)["AccessKey"]["AccessKeyId"]

    def set_state(self, name: str) -> None:
        for number in range(self.states[name]):
            if number == 0:
                self.secrets.create_secret(Name=self.secret, SecretString="value 0")
            else:
                self.secrets.put_secret_value(SecretId=self.secret, SecretString=f"value {number}")

    def keys(self) -> dict[str, str]:
        found = self.iam.list_access_keys(UserName=self.user)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in found}

    def read_raw(self) -> object:
        return self.keys(), self.labels()

    def labels(self) -> object:
        """Return the version of each label, and the value that readers get."""
        try:
            versions = self.secrets.describe_secret(SecretId=self.secret).get("VersionIdsToStages", {})
        except self.secrets.exceptions.ResourceNotFoundException:
            return None
        value = self.secrets.get_secret_value(SecretId=self.secret)["SecretString"]
        return {label: version for version, labels in versions.items() for label in labels}, value
