"""A security group's inbound rules, on moto's server."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import pytest

from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction
from tests.contract.cases.contract import ActionCase, OneClient, aws_registry

V4, V6 = "0.0.0.0/0", "::/0"


def allow(
    protocol: str, first: int, last: int, source: str, description: str = "", **tags: str
) -> dict[str, Any]:
    """Return what `authorize_security_group_ingress` takes for one rule."""
    entry = {"Description": description} if description else {}
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    kind, key = {"sg-": ("UserIdGroupPairs", "GroupId"), "pl-": ("PrefixListIds", "PrefixListId")}.get(
        source[:3], ("Ipv6Ranges", "CidrIpv6") if ":" in source else ("IpRanges", "CidrIp")
    )
    permission = {"IpProtocol": protocol, **ports, kind: [{key: source, **entry}]}
    named = [{"Key": name, "Value": value} for name, value in tags.items()]
    tagged = [{"ResourceType": "security-group-rule", "Tags": named}] if named else []
    return {"IpPermissions": [permission], "TagSpecifications": tagged}


# What no fix may touch, in every state.
KEPT = (
    allow("tcp", 22, 22, "10.0.0.0/8", "office", Name="office"),
    allow("tcp", 22, 22, "fd00::/8"),
    allow("tcp", 3389, 3389, "pl-12345678", "prefix list"),
    allow("tcp", 443, 443, V4, "web"),
    allow("udp", 22, 22, V4),
    allow("tcp", 23, 3388, V6, "between the two ports"),
    allow("icmp", -1, -1, V4),
    allow("-1", -1, -1, "192.168.0.0/16"),
)


class SecurityGroupCase(ActionCase):
    """A security group's inbound rules on moto's server."""

    written = PlaybookAction(
        "close",
        "aws",
        {"service": "ec2", "action": "revoke-security-group-ingress", "params": {"ports": [22, 3389]}},
    )
    states: ClassVar[Mapping[str, Sequence[dict[str, Any]]]] = {
        "closed": (),
        "open": (
            allow("tcp", 22, 22, V4, "from: anywhere - ssh", Name="ssh", Owner="ops: team"),
            allow("tcp", 22, 22, V6, "ssh"),
            allow("tcp", 3389, 3389, V4),
        ),
        "ranges": (allow("tcp", 20, 25, V4, "old"), allow("tcp", 0, 65535, V6), allow("tcp", 3389, 4000, V4)),
        "all traffic": (allow("-1", -1, -1, V4, "everything"), allow("-1", -1, -1, V6)),
    }
    unsettled = "open"

    def __init__(self, ec2: Any, group: str) -> None:
        self.ec2 = ec2
        self.group = group

    @classmethod
    def prepare(cls, request: pytest.FixtureRequest) -> Self:
        return cls(request.getfixturevalue("ec2"), request.getfixturevalue("security_group"))

    def target(self) -> Target:
        arn = f"arn:aws:ec2:us-east-1:123456789012:security-group/{self.group}"
        return Target(provider="aws", resource=arn, account_id="123456789012", region="us-east-1")

    def set_state(self, name: str) -> None:
        inbound = [rule["SecurityGroupRuleId"] for rule in self.rules() if not rule["IsEgress"]]
        if inbound:
            self.ec2.revoke_security_group_ingress(GroupId=self.group, SecurityGroupRuleIds=inbound)
        own = allow("tcp", 22, 22, self.group, "each other")
        for rule in (*KEPT, own, *self.states[name]):
            self.ec2.authorize_security_group_ingress(GroupId=self.group, **rule)

    def rules(self) -> list[dict[str, Any]]:
        mine = [{"Name": "group-id", "Values": [self.group]}]
        rules: list[dict[str, Any]] = self.ec2.describe_security_group_rules(Filters=mine)[
            "SecurityGroupRules"
        ]
        return rules

    def read_raw(self) -> object:
        """Return every rule with all that AWS says, but for its id, which is new when it is authorized again."""
        ids = {"SecurityGroupRuleId", "SecurityGroupRuleArn"}
        rules = [{key: value for key, value in rule.items() if key not in ids} for rule in self.rules()]
        for rule in rules:
            rule["Tags"] = sorted(rule.get("Tags", []), key=lambda tag: tag["Key"])
        return sorted(rules, key=repr)

    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        return aws_registry(OneClient(wrap(self.ec2) if wrap else self.ec2))


class ReplacedAccessCase(SecurityGroupCase):
    """The same, where some get in instead: one of them does already."""

    written = PlaybookAction(
        "close",
        "aws",
        {
            "service": "ec2",
            "action": "revoke-security-group-ingress",
            "params": {"ports": [22], "replace_with": ["203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8"]},
        },
    )
