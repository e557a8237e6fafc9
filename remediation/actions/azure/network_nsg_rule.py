"""Close the rules of a network security group that let the Internet in, and put them back word for word."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from audit.errors import Cause, PermanentActionError
from remediation.actions.azure.action import Answers, AzureAction, finish
from remediation.actions.azure.arm_id import SECURITY_GROUP, SECURITY_RULE, ArmId, locate, settled
from remediation.actions.azure.errors import azure_errors
from remediation.actions.azure.nsg_rules import (
    FIELDS,
    Question,
    Rule,
    close,
    is_open,
    lets_internet_in,
    read_rule,
)
from remediation.actions.contract import Draft, Params, Permissions
from remediation.plan import ActionPlan, State, Target

_OPERATION = "Microsoft.Network/locations/operations/read"
_WRITE = "Microsoft.Network/networkSecurityGroups/securityRules/write"
_MOST_NAMED = 20


def _narrow_network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"“{text[:60]}” is no network such as 203.0.113.0/24: {error}") from None
    if is_open(str(network)):
        raise ValueError(f"{text} is everybody: name the networks that may come in")
    return str(network)


Network = Annotated[str, AfterValidator(_narrow_network)]
Port = Annotated[int, Field(ge=0, le=65535)]


class RestrictNsgRuleParams(Params):
    """Who may come in instead, and which rules of a whole group are meant.

    `ports` and `protocol` choose among a group's rules, all if left out; a finding that names a rule means that rule.
    """

    allowed_sources: list[Network] = Field(default_factory=list, max_length=100)
    ports: list[Port] = Field(default_factory=list, max_length=100)
    protocol: Literal["Tcp", "Udp", "Icmp"] | None = None


class RestrictNsgRule(AzureAction[RestrictNsgRuleParams]):
    """Narrow the inbound rules that let the Internet in, or have them deny it; never delete one.

    A finding about a rule means that rule; one about a security group means its inbound Allow rules from `*`, `Internet` or a network of
    length 0 that cover one of the ports. The open source gives way to `allowed_sources`, other sources of the same
    rule stay. Where no source would remain, the rule denies the Internet. Everything a rule says is captured and put back as it was,
    with its description, ports and priority. Azure takes a write only while the rule still is the one that was read.

    Example:
        ```yaml
        action_name: close_ssh
        action_type: azure
        params:
          service: network
          action: restrict-nsg-rule
          params:
            ports: [22]
            allowed_sources: [203.0.113.0/24]
        ```
    """

    key = "network:restrict-nsg-rule"
    params_model = RestrictNsgRuleParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("Microsoft.Network/networkSecurityGroups/read",),
        apply=("Microsoft.Network/networkSecurityGroups/securityRules/read", _WRITE, _OPERATION),
        rollback=("Microsoft.Network/networkSecurityGroups/securityRules/read", _WRITE, _OPERATION),
    )

    def plan(self, target: Target, params: RestrictNsgRuleParams) -> Draft:
        """Read the group and find the rules that are meant."""
        group = self._group(target)
        rules = group.read()
        meant = _choose(rules, group.arm_id, params)
        closed = {name: close(rule, params.allowed_sources) for name, rule in meant.items()}
        return Draft(
            target=settled(target, group.arm_id),
            before=_flatten(meant),
            after=_flatten(closed),
            untouched=tuple(_describe_others(rules, meant)),
            notes=(*group.describe_users(), *_describe_denials(closed)),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the plan's rules as they are now; one that is gone has nothing set."""
        rules = self._group(plan.target).read()
        gone: Rule = dict.fromkeys(FIELDS)
        return _flatten({name: rules.get(name, gone) for name in _unflatten(plan.before)})

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the rules closed, one after the other."""
        return self._group(plan.target).write(_unflatten(plan.after))

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Write the rules as they were captured."""
        return self._group(plan.target).write(_unflatten(plan.before))

    def _group(self, target: Target) -> "_Group":
        arm_id = locate(target, SECURITY_GROUP, SECURITY_RULE)
        return _Group(self.network(arm_id), arm_id)


class _Group:
    """One network security group and its own rules."""

    def __init__(self, network: Any, arm_id: ArmId) -> None:  # noqa: ANN401 - see `AzureClients`
        self.arm_id = arm_id
        self.name = arm_id.names[0]
        self._network = network
        self._where = {"resource_group_name": arm_id.group, "network_security_group_name": self.name}
        self._found: Any = None

    def read(self) -> dict[str, Rule]:
        """Return its rules by name."""
        with azure_errors(f"read the network security group {self.name}"):
            self._found = self._network.network_security_groups.get(**self._where).properties
        return {
            str(rule.name): read_rule(rule.properties.as_dict()) for rule in self._found.security_rules or ()
        }

    def describe_users(self) -> Iterator[str]:
        """Yield who lives behind the group that was just read."""
        for what, users in (("interface", self._found.network_interfaces), ("subnet", self._found.subnets)):
            names = [str(user.id).rpartition("/")[2] for user in users or ()]
            if names:
                more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
                yield f"Protects {len(names)} {what}{'s'[: len(names) > 1]}: {', '.join(names[:_MOST_NAMED])}{more}"

    def write(self, rules: Mapping[str, Rule]) -> tuple[str, ...]:
        """Write those rules that are not yet so."""
        ids = [written for name, rule in rules.items() for written in self._write_rule(name, rule)]
        return tuple(ids)

    def _write_rule(self, name: str, rule: Rule) -> tuple[str, ...]:
        answers, doing = Answers(), f"write the rule {name} of the network security group {self.name}"
        with azure_errors(doing):
            found = self._network.security_rules.get(**self._where, security_rule_name=name)
            if read_rule(found.properties.as_dict()) == rule:
                return ()
            poller = self._network.security_rules.begin_create_or_update(
                **self._where,
                security_rule_name=name,
                security_rule_parameters=_body(found, rule),
                headers={"If-Match": found.etag},
                raw_response_hook=answers,
            )
        finish(poller, doing)
        return answers.written()


def _body(found: Any, rule: Rule) -> dict[str, object]:  # noqa: ANN401 - the SDK's model of a rule
    """Return the rule as found, with what it is to say: a write replaces all of it."""
    body: dict[str, Any] = found.as_dict(exclude_readonly=True)
    kept = {field: value for field, value in body["properties"].items() if field not in FIELDS}
    return {**body, "properties": kept | {field: value for field, value in rule.items() if value is not None}}


def _choose(rules: Mapping[str, Rule], arm_id: ArmId, params: RestrictNsgRuleParams) -> dict[str, Rule]:
    """Return the rules that are meant and let the Internet in."""
    question = Question(ports=tuple(params.ports), protocol=params.protocol)
    if arm_id.kind == SECURITY_RULE:
        rules = {name: rule for name, rule in rules.items() if name.casefold() == arm_id.name.casefold()}
        if not rules:
            raise PermanentActionError(
                f"Could not find the rule {arm_id.name} in the network security group {arm_id.names[0]}",
                cause=Cause.NOT_FOUND,
            )
        question = Question()
    return {name: rule for name, rule in sorted(rules.items()) if lets_internet_in(rule, question)}


def _flatten(rules: Mapping[str, Rule]) -> dict[str, object]:
    """Return rules as settings such as `allow-ssh access`: names of rules have no spaces."""
    return {f"{name} {field}": value for name, rule in rules.items() for field, value in rule.items()}


def _unflatten(state: State) -> dict[str, Rule]:
    rules: dict[str, dict[str, object]] = {}
    for setting, value in state.items():
        name, _, field = setting.partition(" ")
        rules.setdefault(name, {})[field] = value
    return dict(rules)


def _describe_others(rules: Mapping[str, Rule], meant: Mapping[str, Rule]) -> Iterator[str]:
    others = [name for name in sorted(rules) if name not in meant]
    named = ", ".join(others[:_MOST_NAMED]) + (" …" if len(others) > _MOST_NAMED else "")
    yield f"{len(others)} other rules ({named})" if others else "The group has no other rules"
    yield "The default rules, and what the group is attached to"


def _describe_denials(closed: Mapping[str, Rule]) -> Iterator[str]:
    for name, rule in closed.items():
        if rule["access"] == "Deny":
            yield (
                f"{name} will deny the Internet, since no source would remain; inside traffic it let in is up to later rules. "
                "To narrow it instead, name allowed_sources."
            )
