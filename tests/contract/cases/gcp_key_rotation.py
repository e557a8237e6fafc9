"""A service account's key."""

import copy
from typing import Any

from remediation.plan import Target
from tests.contract.backends_google import PROJECT
from tests.contract.cases.gcp import GoogleCase

OLD, SPARE = "a" * 40, "5" * 40
SECRET = f"projects/{PROJECT}/secrets/deploy-key"


class KeyRotationCase(GoogleCase):
    """A key that is to be replaced; what stays of a rollback is a version of the secret that nobody can read."""

    service = "iam"
    action_name = "rotate-service-account-key"
    params = {"secret": "deploy-key"}
    states: dict[str, dict[str, Any]] = {
        "one key, empty secret": {"keys": {OLD: {}}, "versions": ()},
        "two keys, used secret": {
            "keys": {OLD: {}, SPARE: {}},
            "versions": ("DESTROYED", "ENABLED", "DISABLED"),
        },
        "a disabled one beside it": {"keys": {OLD: {}, SPARE: {"disabled": True}}, "versions": ("ENABLED",)},
        "disabled already": {"keys": {OLD: {"disabled": True}}, "versions": ("ENABLED",)},
    }
    unsettled = "one key, empty secret"

    @property
    def email(self) -> str:
        return f"{self.name}@{PROJECT}.iam.gserviceaccount.com"

    @property
    def account(self) -> str:
        return f"projects/{PROJECT}/serviceAccounts/{self.email}"

    @property
    def resource(self) -> str:
        return f"{self.account}/keys/{OLD}"

    def target(self) -> Target:
        return Target(provider="gcp", resource=f"//iam.googleapis.com/{self.resource}", account_id=PROJECT)

    def set_state(self, name: str) -> None:
        state = self.states[name]
        for key, settings in state["keys"].items():
            self.cloud.identity.add_key(self.account, key, **settings)
        self.cloud.secrets.add(SECRET, *state["versions"])

    def read_raw(self) -> object:
        enabled = [entry for entry in self.cloud.secrets.secrets[SECRET] if entry["state"] == "ENABLED"]
        return copy.deepcopy(self.cloud.identity.keys), copy.deepcopy(enabled)
