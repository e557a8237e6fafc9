"""Inbound rules of a security group, named by what they allow.

AWS keeps no two rules of the same protocol, ports and source in a group, so that content is the rule's identity here. Its id is not:
a rule that is authorized again gets another.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from remediation.plan import State

WORLD = frozenset({"0.0.0.0/0", "::/0"})
EVERYTHING = "-1"
ALLOWED = "allowed"
_ALL_TRAFFIC = "all traffic"
_DESCRIPTION, _TAG = "description", "tag "
_NAME = re.compile(
    rf"(?:{_ALL_TRAFFIC}|(?P<protocol>\S+) (?P<first>\d+)(?:-(?P<last>\d+))?) from (?P<source>\S+)"
)
# Tags that only AWS itself can set, so nobody can put them back.
_OF_AWS = "aws:"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """A protocol, its ports, both ends included, and where traffic may come from: a CIDR, a prefix list, a group."""

    protocol: str
    first_port: int
    last_port: int
    source: str

    def __str__(self) -> str:
        if self.protocol == EVERYTHING:
            return f"{_ALL_TRAFFIC} from {self.source}"
        ports = (
            str(self.first_port)
            if self.first_port == self.last_port
            else f"{self.first_port}-{self.last_port}"
        )
        return f"{self.protocol} {ports} from {self.source}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read what `str` writes for a rule on ports or on all traffic.

        Raises:
            ValueError: it is no such name.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(name)
        if match["protocol"] is None:
            return cls(EVERYTHING, -1, -1, match["source"])
        first = int(match["first"])
        return cls(match["protocol"], first, int(match["last"] or first), match["source"])

    @property
    def is_open_to_the_world(self) -> bool:
        """Tell whether anybody on the internet gets in."""
        return self.source in WORLD

    def covers(self, ports: Iterable[int], protocols: Iterable[str]) -> bool:
        """Tell whether it lets traffic to any of these ports through."""
        if self.protocol == EVERYTHING:
            return True
        return self.protocol in protocols and any(self.first_port <= port <= self.last_port for port in ports)

    def is_wider_than(self, ports: Iterable[int]) -> bool:
        """Tell whether it lets traffic to other ports through as well."""
        if self.protocol == EVERYTHING:
            return True
        covered = {port for port in ports if self.first_port <= port <= self.last_port}
        return self.last_port - self.first_port + 1 > len(covered)

    def to_permission(self, description: str) -> dict[str, object]:
        """Return EC2's `IpPermission` for this rule, from a CIDR, with its description."""
        kind, cidr = ("Ipv6Ranges", "CidrIpv6") if ":" in self.source else ("IpRanges", "CidrIp")
        entry = {cidr: self.source, **({"Description": description} if description else {})}
        ports = {} if self.protocol == EVERYTHING else {"FromPort": self.first_port, "ToPort": self.last_port}
        return {"IpProtocol": self.protocol, **ports, kind: [entry]}


@dataclass(frozen=True, slots=True)
class RuleText:
    """What people wrote on a rule."""

    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A rule as it is in its group now."""

    rule: Rule
    rule_id: str
    text: RuleText

    @classmethod
    def from_aws(cls, entry: Mapping[str, Any]) -> Self:
        """Read an entry of `DescribeSecurityGroupRules`."""
        group = entry.get("ReferencedGroupInfo") or {}
        sources = (
            entry.get("CidrIpv4"),
            entry.get("CidrIpv6"),
            entry.get("PrefixListId"),
            group.get("GroupId"),
        )
        source = next((str(source) for source in sources if source), "an unknown source")
        rule = Rule(
            str(entry["IpProtocol"]), int(entry.get("FromPort", -1)), int(entry.get("ToPort", -1)), source
        )
        tags = {
            tag["Key"]: tag["Value"] for tag in entry.get("Tags", ()) if not tag["Key"].startswith(_OF_AWS)
        }
        return cls(rule, str(entry["SecurityGroupRuleId"]), RuleText(entry.get("Description") or "", tags))


def to_state(rules: Mapping[Rule, RuleText]) -> State:
    """Return rules as settings; one that is not there has none."""
    state: dict[str, object] = {}
    for rule, text in rules.items():
        state[str(rule)] = ALLOWED
        if text.description:
            state[f"{rule}: {_DESCRIPTION}"] = text.description
        state |= {f"{rule}: {_TAG}{key}": value for key, value in text.tags.items()}
    return state


def from_state(state: State) -> dict[Rule, RuleText]:
    """Return the rules that `to_state` wrote."""
    found: dict[Rule, RuleText] = {}
    for name in (setting for setting, value in state.items() if value == ALLOWED and ": " not in setting):
        about = {
            setting.removeprefix(f"{name}: "): str(value)
            for setting, value in state.items()
            if setting.startswith(f"{name}: ")
        }
        tags = {key.removeprefix(_TAG): value for key, value in about.items() if key.startswith(_TAG)}
        found[Rule.parse(name)] = RuleText(about.get(_DESCRIPTION, ""), tags)
    return found
