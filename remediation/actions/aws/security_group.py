"""Close ports of a security group to the internet: the offending rules and no others, and put them back word for word."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, field_validator

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.action import ANY, AwsAction, partition
from remediation.actions.aws.places import require_region, settle
from remediation.actions.aws.security_group_access import Group
from remediation.actions.aws.security_group_rule import (
    FoundRule,
    Rule,
    RuleText,
    from_state,
    to_state,
)
from remediation.actions.contract import Draft, Params, Permissions, Phase
from remediation.plan import ActionPlan, State, Target

Port = Annotated[int, Field(ge=0, le=65535)]
_GROUP = re.compile(
    r"(?:arn:aws[a-z-]*:ec2:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):security-group/)?(?P<group>sg-[0-9a-f]{8,17})"
)
_SSH, _RDP = 22, 3389
_INSTEAD = RuleText("Replaces access from anywhere (Countersign)")
_MOST_NAMED = 20


class RevokeIngressParams(Params):
    """Which ports are to be closed to the internet, and who gets in instead.

    `replace_with` are CIDRs that get a rule of the same protocol and ports before the offending rule goes.
    """

    ports: list[Port] = Field(default=[_SSH, _RDP], min_length=1, max_length=100)
    protocols: list[Literal["tcp", "udp"]] = Field(default=["tcp"], min_length=1)
    replace_with: list[str] = Field(default=[], max_length=20)

    @field_validator("replace_with")
    @classmethod
    def _check_cidrs(cls, cidrs: list[str]) -> list[str]:
        """Return CIDRs the way EC2 writes them.

        Raises:
            ValueError: one is none, has bits beyond its length, or is the whole internet again.
        """
        networks = [ipaddress.ip_network(cidr) for cidr in cidrs]
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("a CIDR that is the whole internet replaces nothing")
        return [str(network) for network in networks]


class RevokeSecurityGroupIngress(AwsAction[RevokeIngressParams]):
    """Revoke a security group's inbound rules that let the whole internet reach given ports.

    A rule offends when its source is 0.0.0.0/0 or ::/0 and its ports include one of `ports`, by a range or as all traffic. Every other
    rule stays, those of the same ports for private networks, prefix lists and groups included: rules are revoked by their own ids. A
    rollback authorizes each rule again with its description and tags; AWS gives it a new id.

    Example:
        ```yaml
        action_name: close_remote_access
        action_type: aws
        params:
          service: ec2
          action: revoke-security-group-ingress
          params:
            ports: [22, 3389]
            replace_with: ["203.0.113.0/24"]
        ```
    """

    key = "ec2:revoke-security-group-ingress"
    params_model = RevokeIngressParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=(
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSecurityGroupRules",
            "ec2:DescribeNetworkInterfaces",
        ),
        apply=("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
        rollback=("ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:RevokeSecurityGroupIngress"),
    )

    def plan(self, target: Target, params: RevokeIngressParams) -> Draft:
        """Read the group's rules, and what is attached to it."""
        settled = group_of(target, self._clients.account_id)
        group = self._group(settled, "plan")
        rules = group.read_rules()
        offending = {rule: found.text for rule, found in rules.items() if _offends(rule, params)}
        instead = {rule: _INSTEAD for rule in _replacements(offending, params) if rule not in rules}
        return Draft(
            target=settled,
            before=to_state(offending),
            after=to_state(instead),
            tags=group.tags,
            untouched=tuple(_describe_rest(rules, offending)),
            notes=(*_describe_wide(offending, params), *group.describe_attached()),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the rules that the plan is about."""
        found = self._group(plan.target, "plan").read_rules()
        concerned = from_state(plan.before) | from_state(plan.after)
        return to_state({rule: found[rule].text for rule in concerned if rule in found})

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Let in who comes instead, then revoke the offending rules."""
        return self._move(plan, "apply", plan.before, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Authorize the revoked rules as they were, then revoke those that came instead."""
        return self._move(plan, "rollback", plan.after, plan.before)

    def scope(self, permission: str, target: Target) -> tuple[str, ...]:
        """Return the group's ARN, and that of any rule where one is made with tags: its id is not known. Reads have none."""
        if permission.startswith("ec2:Describe"):
            return (ANY,)
        owner = f"arn:{partition(target.region)}:ec2:{target.region}:{target.account_id}"
        group, rules = f"{owner}:security-group/{group_id(target)}", f"{owner}:security-group-rule/*"
        known = {"ec2:CreateTags": (rules,), "ec2:AuthorizeSecurityGroupIngress": (group, rules)}
        return known.get(permission, (group,))

    def _group(self, target: Target, phase: Phase) -> Group:
        return Group(self.client("ec2", target, phase), group_id(target))

    def _move(self, plan: ActionPlan, phase: Phase, gone: State, come: State) -> tuple[str, ...]:
        """Bring the group from the rules of one state to those of another. New ones first: nobody is locked out between."""
        group = self._group(plan.target, phase)
        leaving, coming = from_state(gone), from_state(come)
        now = group.read_rules()
        made = [group.authorize(rule, text) for rule, text in coming.items() if rule not in now]
        ended = [group.revoke(now[rule]) for rule in leaving if rule in now and rule not in coming]
        return tuple(filter(None, (*made, *ended)))


def _offends(rule: Rule, params: RevokeIngressParams) -> bool:
    return rule.is_open_to_the_world and rule.covers(params.ports, params.protocols)


def _replacements(offending: Mapping[Rule, RuleText], params: RevokeIngressParams) -> Iterator[Rule]:
    """Yield a rule per offending protocol and ports, and per CIDR, in a stable order; none twice."""
    reach = dict.fromkeys((rule.protocol, rule.first_port, rule.last_port) for rule in sorted(offending))
    for protocol, first, last in reach:
        for cidr in dict.fromkeys(params.replace_with):
            yield Rule(protocol, first, last, cidr)


def _describe_wide(offending: Mapping[Rule, RuleText], params: RevokeIngressParams) -> Iterator[str]:
    """Warn where closing the ports closes others with them."""
    for rule in sorted(offending):
        if rule.is_wider_than(params.ports):
            ports = ", ".join(map(str, params.ports))
            yield f"“{rule}” covers more than {ports}: all of it closes to the internet."


def _describe_rest(rules: Mapping[Rule, FoundRule], offending: Mapping[Rule, RuleText]) -> Iterator[str]:
    rest = sorted(rules.keys() - offending.keys())
    yield from map(str, rest[:_MOST_NAMED])
    if len(rest) > _MOST_NAMED:
        yield f"{len(rest) - _MOST_NAMED} more inbound rules"
    yield "Outbound rules"


def group_of(target: Target, own_account: Callable[[], str]) -> Target:
    """Return the target of a resource that is a security group, with its region and account.

    Raises:
        PermanentActionError: it is no security group, or nobody says where it is.
    """
    found = _match(target)
    settled = require_region(settle(target, account_id=found["account"] or "", region=found["region"] or ""))
    return replace(settled, account_id=settled.account_id or own_account())


def group_id(target: Target) -> str:
    """Return the group's id, such as `sg-0123456789abcdef0`.

    Raises:
        PermanentActionError: the resource is no security group.
    """
    return str(_match(target)["group"])


def _match(target: Target) -> re.Match[str]:
    match = _GROUP.fullmatch(target.resource.strip())
    if match is None:
        raise PermanentActionError(
            f"“{target.resource[:120]}” is not a security group's ARN or id", cause=Cause.INVALID
        )
    return match
