"""Buckets: who may read them, and where their logs go."""

from typing import Any

from tests.contract.backends_google import PROJECT
from tests.contract.cases.gcp import BucketCase

READERS = "roles/storage.objectViewer"
TEAM = {"role": READERS, "members": ["group:team@acme.example"]}
UNTIL_2030 = {
    "title": "until 2030",
    "description": "for the press",
    "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")',
}
WEB = [{"role": READERS, "members": ["allUsers", "group:team@acme.example"]}]
CONDITIONS = [
    {"role": READERS, "members": ["allUsers"]},
    {"role": READERS, "members": ["allUsers", "user:ann@acme.example"], "condition": UNTIL_2030},
    {"role": "roles/storage.legacyBucketReader", "members": ["allAuthenticatedUsers", "allUsers"]},
    {"role": "roles/storage.admin", "members": ["user:bob@acme.example"], "condition": UNTIL_2030},
]


class PublicBucketCase(BucketCase):
    """A bucket's public access prevention and its public members."""

    action_name = "restrict-public-access"
    states = {
        "nothing public": ({}, [TEAM]),
        "public members": ({"publicAccessPrevention": "inherited"}, WEB),
        "public under conditions": ({"uniformBucketLevelAccess": {"enabled": True}}, CONDITIONS),
        "enforced": ({"publicAccessPrevention": "enforced"}, [TEAM]),
    }
    unsettled = "public members"

    def set_state(self, name: str) -> None:
        configuration, bindings = self.states[name]
        self.cloud.storage.write_policy(self.name, bindings)
        if configuration:
            self.cloud.storage.patch(self.name, iamConfiguration=configuration)


class BucketLoggingCase(BucketCase):
    """A bucket's usage logs, and the log bucket that takes them."""

    action_name = "enable-logging"
    params = {"log_bucket": "acme-usage-logs"}
    states: dict[str, dict[str, Any]] = {
        "off": {"logging": None},
        "to another bucket": {"logging": {"logBucket": "older-logs", "logObjectPrefix": "web"}},
        "without a prefix": {"logging": {"logBucket": "older-logs"}},
    }
    unsettled = "off"

    def create(self) -> None:
        super().create()
        if "acme-usage-logs" not in self.cloud.storage.store.buckets:
            self.cloud.storage.add("acme-usage-logs", PROJECT)
        self.cloud.storage.owners["acme-usage-logs"] = PROJECT
        writer = {
            "role": "roles/storage.objectCreator",
            "members": ["group:cloud-storage-analytics@google.com"],
        }
        self.cloud.storage.write_policy("acme-usage-logs", [writer])

    def set_state(self, name: str) -> None:
        self.cloud.storage.patch(self.name, **self.states[name])
