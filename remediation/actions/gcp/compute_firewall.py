"""Close a VPC firewall rule to the whole internet, and open it again exactly as it was."""

import ipaddress
from typing import Any

from audit.errors import Cause, PermanentActionError
from remediation.actions.contract import Draft, Params
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.compute import FIREWALL_PERMISSIONS, Compute
from remediation.actions.gcp.names import firewall_of
from remediation.plan import ActionPlan, State, Target, changes_between

RANGES, DISABLED = "Source ranges", "Disabled"
_FIELDS = {RANGES: "source_ranges", DISABLED: "disabled"}


class RestrictFirewallParams(Params):
    """There is nothing to choose."""


class RestrictFirewall(GcpAction[RestrictFirewallParams]):
    """Take the ranges that mean everybody, `0.0.0.0/0` and `::/0`, out of an ingress rule's source ranges.

    The other ranges stay. Where none would stay the rule is disabled instead, for a rule without sources is one for
    everybody. The rule is never deleted, so its name, priority, targets and description survive.

    Example:
        ```yaml
        action_name: restrict_firewall
        action_type: gcp
        params:
          service: compute
          action: restrict-firewall
        ```
    """

    key = "compute:restrict-firewall"
    params_model = RestrictFirewallParams
    reversible = True
    idempotent = True
    permissions = FIREWALL_PERMISSIONS

    def plan(self, target: Target, params: RestrictFirewallParams) -> Draft:  # noqa: ARG002 - nothing to choose
        """Read the rule."""
        named = firewall_of(target)
        project = self.project(named.project)
        rule = Compute(self._clients, project).firewall(named.name)
        _require_opening(rule)
        before = _state(rule)
        return Draft(
            target=gcp_target(f"projects/{project}/global/firewalls/{rule.name}", project=project),
            before=before,
            after=_restricted(before),
            untouched=_describe_untouched(rule),
            notes=_describe_use(rule, will_disable=_restricted(before)[DISABLED] is not before[DISABLED]),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read the rule's sources now."""
        return _state(self._read(plan))

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Narrow or disable the rule."""
        return self._write(plan, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Give the rule its sources again, or enable it."""
        return self._write(plan, plan.before)

    def _read(self, plan: ActionPlan) -> Any:  # noqa: ANN401 - compute_v1.Firewall
        named = firewall_of(plan.target)
        return Compute(self._clients, named.project).firewall(named.name)

    def _write(self, plan: ActionPlan, state: State) -> tuple[str, ...]:
        now = self.observe(plan)
        require_between(now, plan)
        settings = {_FIELDS[change.setting]: change.after for change in changes_between(now, state)}
        if not settings:
            return ()
        if settings.get("source_ranges") == []:
            # Sent as nothing at all, which Google answers with 200 and no change.
            raise PermanentActionError(
                f"Could not empty the source ranges of {plan.target.resource}", cause=Cause.INVALID
            )
        named = firewall_of(plan.target)
        return Compute(self._clients, named.project).patch_firewall(named.name, **settings)


def _state(rule: Any) -> State:  # noqa: ANN401 - compute_v1.Firewall
    return {RANGES: sorted(rule.source_ranges), DISABLED: bool(rule.disabled)}


def _restricted(before: State) -> State:
    ranges = before[RANGES]
    everything = list(ranges) if isinstance(ranges, list) else []
    kept = [entry for entry in everything if not _is_everybody(entry)]
    if kept:
        return {RANGES: kept, DISABLED: before[DISABLED]}
    return {RANGES: everything, DISABLED: True}


def _is_everybody(source_range: str) -> bool:
    return ipaddress.ip_network(source_range, strict=False).prefixlen == 0


def _require_opening(rule: Any) -> None:  # noqa: ANN401 - compute_v1.Firewall
    """Let a rule pass that lets traffic in from ranges, or from anywhere.

    Raises:
        PermanentActionError: it does not; says what it does instead.
    """
    ranges = list(rule.source_ranges)
    named = bool(rule.source_tags or rule.source_service_accounts)
    if rule.direction == "EGRESS":
        why = "is about traffic going out"
    elif rule.denied and not rule.allowed:
        why = "denies traffic: restricting it would let more in"
    elif named and not any(map(_is_everybody, ranges)):
        why = "lets nobody in but named sources"
    else:
        return
    raise PermanentActionError(f"The firewall rule {rule.name} {why}", cause=Cause.INVALID)


def _describe_untouched(rule: Any) -> tuple[str, ...]:  # noqa: ANN401 - compute_v1.Firewall
    allowed = ", ".join(
        f"{entry.I_p_protocol}{':' if entry.ports else ''}{','.join(entry.ports)}" for entry in rule.allowed
    )
    return (
        f"What it allows ({allowed})",
        f"Its targets ({_targets(rule)}), priority {rule.priority} and logging",
        "All other rules of the network",
    )


def _targets(rule: Any) -> str:  # noqa: ANN401 - compute_v1.Firewall
    targets = [*rule.target_tags, *rule.target_service_accounts]
    network = rule.network.rpartition("/")[2]
    return ", ".join(targets) if targets else f"every machine in the network {network}"


def _describe_use(rule: Any, *, will_disable: bool) -> tuple[str, ...]:  # noqa: ANN401 - compute_v1.Firewall
    notes = [
        f"It opens: {_targets(rule)}. Whoever comes from the internet is turned away, established connections too."
    ]
    sources = [*rule.source_tags, *rule.source_service_accounts]
    if will_disable and sources:
        notes.append(
            f"Nothing else of the rule stays in force: {', '.join(sources)} lose their way in with it."
        )
    return tuple(notes)
