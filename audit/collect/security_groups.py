"""The security groups of a region."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from audit.collect.facts import Facts
from audit.collect.reader import Answer, Ask, Reader

GROUPS: Final = Ask("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups")
ASKS: Final = (GROUPS,)


def read_groups(reader: Reader, region: str) -> Iterator[tuple[str, Facts]]:
    """Yield each group's id and its rules.

    Raises:
        ActionError: they cannot be listed.
    """
    for group in reader.entries(replace(GROUPS, region=region), key="SecurityGroups"):
        inbound = list(_rules(group))
        facts: dict[str, object] = {"inbound": inbound}
        if group.get("GroupName") == "default":
            outbound = group.get("IpPermissionsEgress", ())
            facts["default_group_rules"] = len(group.get("IpPermissions", ())) + len(outbound)
        yield str(group["GroupId"]), facts


def _rules(group: Answer) -> Iterator[Facts]:
    """Yield the inbound rules, one for each range of addresses."""
    for rule in group.get("IpPermissions", ()):
        about = {
            "protocol": str(rule.get("IpProtocol", "")),
            "from_port": rule.get("FromPort"),
            "to_port": rule.get("ToPort"),
        }
        ranges = [entry["CidrIp"] for entry in rule.get("IpRanges", ())]
        ranges += [entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges", ())]
        yield from ({**about, "source": source} for source in ranges)
