"""Firewall rules and subnetworks."""

import copy
from typing import Any

from remediation.plan import Target
from tests.contract.backends_google import PROJECT
from tests.contract.cases.gcp import GoogleCase

SSH = [{"IPProtocol": "tcp", "ports": ["22"]}]


class FirewallCase(GoogleCase):
    """A rule, found under its name."""

    service = "compute"

    @property
    def resource(self) -> str:
        return f"projects/{PROJECT}/global/firewalls/{self.name}"

    def make_rule(self, **changed: Any) -> None:
        settings = {
            "network": f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/networks/default",
            "priority": 900,
            "description": "as it was",
            "direction": "INGRESS",
            "allowed": SSH,
            "disabled": False,
            "logConfig": {"enable": False},
            **changed,
        }
        self.cloud.compute.add(self.resource, **copy.deepcopy(settings))

    def read_raw(self) -> object:
        rule = copy.deepcopy(self.cloud.compute.resources[self.resource])
        rule["sourceRanges"] = sorted(rule.get("sourceRanges", []))
        return _without_idle_logging(rule)


class FirewallRestrictionCase(FirewallCase):
    """A rule's source ranges, and whether it is in force."""

    action_name = "restrict-firewall"
    states: dict[str, dict[str, Any]] = {
        "everybody": {"sourceRanges": ["0.0.0.0/0"]},
        "everybody by IPv6": {"sourceRanges": ["::/0"]},
        "everybody and an office": {"sourceRanges": ["0.0.0.0/0", "203.0.113.0/24", "10.0.0.0/8"]},
        "everybody and a tag": {"sourceRanges": ["0.0.0.0/0"], "sourceTags": ["bastion"]},
        "no source at all": {},
        "an office": {"sourceRanges": ["203.0.113.0/24"]},
        "disabled already": {"sourceRanges": ["0.0.0.0/0"], "disabled": True},
        "disabled, and an office": {"sourceRanges": ["0.0.0.0/0", "203.0.113.0/24"], "disabled": True},
    }
    unsettled = "everybody and an office"

    def set_state(self, name: str) -> None:
        self.make_rule(**self.states[name])


class FirewallLoggingCase(FirewallCase):
    """A rule's logging."""

    action_name = "enable-firewall-logging"
    states: dict[str, dict[str, Any]] = {
        "off": {},
        "never set": {"logConfig": {}},
        "on": {"logConfig": {"enable": True, "metadata": "EXCLUDE_ALL_METADATA"}},
    }
    unsettled = "off"

    def set_state(self, name: str) -> None:
        self.make_rule(**self.states[name])


class FlowLogsCase(GoogleCase):
    """A subnetwork's flow logs."""

    service = "compute"
    action_name = "enable-subnet-flow-logs"
    params = {"flow_sampling": "0.7"}
    states: dict[str, dict[str, Any]] = {
        "never set": {},
        "off": {"logConfig": {"enable": False}},
        "on": {
            "logConfig": {
                "enable": True,
                "aggregationInterval": "INTERVAL_10_MIN",
                "flowSampling": 0.1,
                "metadata": "CUSTOM_METADATA",
                "metadataFields": ["src_instance"],
            }
        },
    }
    unsettled = "off"

    @property
    def resource(self) -> str:
        return f"projects/{PROJECT}/regions/europe-west1/subnetworks/{self.name}"

    def target(self) -> Target:
        return Target(
            provider="gcp",
            resource=f"//compute.googleapis.com/{self.resource}",
            account_id=PROJECT,
            region="europe-west1",
        )

    def set_state(self, name: str) -> None:
        settings = {"ipCidrRange": "10.1.0.0/24", "purpose": "PRIVATE", **self.states[name]}
        self.cloud.compute.add(self.resource, **copy.deepcopy(settings))

    def read_raw(self) -> object:
        subnetwork = copy.deepcopy(self.cloud.compute.resources[self.resource])
        del subnetwork["fingerprint"]
        return _without_idle_logging(subnetwork)


def _without_idle_logging(resource: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a log would say while there is none: it means nothing, and Google has no way to unset it."""
    config = resource.get("logConfig", {})
    return {**resource, "logConfig": config if config.get("enable") else {"enable": False}}
