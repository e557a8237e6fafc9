"""One security group through EC2's API."""

from collections.abc import Mapping
from typing import Any

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.errors import aws_errors, error_code, request_id
from remediation.actions.aws.security_group_rule import FoundRule, Rule, RuleText
from remediation.actions.aws.tags import Tags, to_tags

_GONE = frozenset({"InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound"})
_THERE = frozenset({"InvalidPermission.Duplicate"})
_PAGE = {"PageSize": 500}
_MOST_NAMED = 5


class Group:
    """Reads and writes a group's inbound rules, each write one rule."""

    def __init__(self, ec2: Any, group_id: str) -> None:  # noqa: ANN401 - see `AwsClients`
        self._ec2 = ec2
        self._id = group_id
        self.tags: Tags | None = None

    def read_rules(self) -> dict[Rule, FoundRule]:
        """Return the inbound rules, and keep the group's own `tags`.

        Raises:
            ActionError: they cannot be read, or the group does not exist: asked for its rules alone, EC2 would say that it has none.
        """
        with aws_errors(f"read the rules of {self._id}"):
            (group,) = self._ec2.describe_security_groups(GroupIds=[self._id])["SecurityGroups"]
            entries = self._pages("describe_security_group_rules", "SecurityGroupRules")
        self.tags = to_tags(group.get("Tags"))
        found = [FoundRule.from_aws(entry) for entry in entries if not entry["IsEgress"]]
        return {entry.rule: entry for entry in found}

    def authorize(self, rule: Rule, text: RuleText) -> str:
        """Add a rule with its description and tags; return the request's id, empty where the rule was there already."""
        tags = [{"Key": key, "Value": value} for key, value in text.tags.items()]
        specifications = [{"ResourceType": "security-group-rule", "Tags": tags}] if tags else []
        return self._write(
            f"authorize {rule} in {self._id}",
            "authorize_security_group_ingress",
            {"IpPermissions": [rule.to_permission(text.description)], "TagSpecifications": specifications},
            fine=_THERE,
        )

    def revoke(self, found: FoundRule) -> str:
        """Remove a rule by its id; return the request's id, empty where the rule was gone already."""
        return self._write(
            f"revoke {found.rule} in {self._id}",
            "revoke_security_group_ingress",
            {"SecurityGroupRuleIds": [found.rule_id]},
            fine=_GONE,
        )

    def describe_attached(self) -> tuple[str, ...]:
        """Say what the group guards."""
        try:
            with aws_errors(f"read what is attached to {self._id}"):
                attached = self._pages("describe_network_interfaces", "NetworkInterfaces")
        except ActionError:
            return ("What is attached to the group could not be read.",)
        if not attached:
            return ("No network interface uses the group.",)
        named = ", ".join(map(_describe_interface, attached[:_MOST_NAMED]))
        more = f" and {len(attached) - _MOST_NAMED} more" if len(attached) > _MOST_NAMED else ""
        return (f"Network interfaces in the group: {len(attached)} ({named}{more}).",)

    def _pages(self, operation: str, key: str) -> list[Mapping[str, Any]]:
        of_the_group = [{"Name": "group-id", "Values": [self._id]}]
        pages = self._ec2.get_paginator(operation).paginate(Filters=of_the_group, PaginationConfig=_PAGE)
        return [entry for page in pages for entry in page[key]]

    def _write(
        self, doing: str, operation: str, arguments: Mapping[str, object], *, fine: frozenset[str]
    ) -> str:
        """Call EC2. An error code that says that it is so already is `fine`."""
        with aws_errors(doing):
            try:
                answer = getattr(self._ec2, operation)(GroupId=self._id, **arguments)
            except self._ec2.exceptions.ClientError as error:
                if error_code(error) not in fine:
                    raise
                return ""
        if answer.get("Return") is False:
            raise PermanentActionError(
                f"Could not {doing}: EC2 says that it did not", cause=Cause.NOT_VERIFIED
            )
        return request_id(answer)


def _describe_interface(interface: Mapping[str, Any]) -> str:
    """Name an interface and what it belongs to."""
    instance = (interface.get("Attachment") or {}).get("InstanceId")
    owner = instance or interface.get("Description") or interface.get("InterfaceType") or ""
    return " ".join(filter(None, (str(interface["NetworkInterfaceId"]), str(owner)[:60])))
