"""What all cases on Google Cloud share."""

import copy
import uuid
from typing import Any, ClassVar, Self

import pytest

from remediation.actions.clouds import Clouds
from remediation.actions.gcp.clients import GcpClients, GoogleClients, Patience
from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.backends_google import PROJECT
from tests.contract.cases.contract import ActionCase, ReadOnly
from tests.fakes.google.server import GoogleCloud


class WrappedClients:
    """Hands out another source's clients, each wrapped."""

    def __init__(self, clients: GcpClients, wrap: Any) -> None:
        self._clients = clients
        self._wrap = wrap

    @property
    def patience(self) -> Patience:
        return self._clients.patience

    def client(self, service: str, *, project: str) -> Any:
        return self._wrap(self._clients.client(service, project=project))

    def project_id(self) -> str:
        return self._clients.project_id()


class GoogleCase(ActionCase):
    """A case on the stand-in for Google Cloud, with the clients of production."""

    service: ClassVar[str]
    action_name: ClassVar[str]
    params: ClassVar[dict[str, object]] = {}

    def __init__(self, cloud: GoogleCloud, clients: GoogleClients) -> None:
        self.cloud = cloud
        self.clients = clients
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self.create()

    def create(self) -> None:
        """Make the resource."""

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("google"), request.getfixturevalue("google_clients"))

    @property
    def written(self) -> PlaybookAction:  # type: ignore[override] - parameters may name the resource
        params = {"service": self.service, "action": self.action_name, "params": self.params}
        return PlaybookAction("step", "gcp", params)

    @property
    def resource(self) -> str:
        """Return the resource's name."""
        return self.name

    def target(self) -> Target:
        return Target(provider="gcp", resource=self.resource, account_id=PROJECT)

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        if wrap is None:
            self.cloud.reads_only = False
            return ActionRegistry.standard(Clouds(gcp=self.clients))
        self.cloud.reads_only = wrap is ReadOnly
        return ActionRegistry.standard(Clouds(gcp=WrappedClients(self.clients, wrap)))


class BucketCase(GoogleCase):
    """A bucket."""

    service = "storage"

    def create(self) -> None:
        self.cloud.storage.add(self.name, PROJECT)

    def read_raw(self) -> object:
        """Read all settings and the policy, less what counts writes; bindings and their members have no order."""
        bucket = {
            key: value
            for key, value in self.cloud.storage.bucket(self.name).items()
            if key not in {"metageneration", "updated"}
        }
        bucket["iamConfiguration"] = {"publicAccessPrevention": "inherited", **bucket["iamConfiguration"]}
        bindings = [
            (entry["role"], repr(entry.get("condition")), sorted(entry["members"]))
            for entry in self.cloud.storage.policy(self.name)["bindings"]
        ]
        return copy.deepcopy(bucket), sorted(bindings)
