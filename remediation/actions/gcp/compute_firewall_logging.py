"""Switch on a VPC firewall rule's logging, and off again."""

from typing import Any, Literal

from remediation.actions.contract import Draft, Params
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.compute import FIREWALL_PERMISSIONS, Compute
from remediation.actions.gcp.names import firewall_of
from remediation.plan import ABSENT, ActionPlan, State, Target

LOGGING, METADATA = "Logging", "Log metadata"
Metadata = Literal["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"]


class EnableFirewallLoggingParams(Params):
    """How much each entry says. Without metadata entries are shorter and cost less."""

    metadata: Metadata = "INCLUDE_ALL_METADATA"


class EnableFirewallLogging(GcpAction[EnableFirewallLoggingParams]):
    """Have a firewall rule log the connections that it lets through or turns away.

    A rule that logs already keeps logging as it does.

    Example:
        ```yaml
        action_name: enable_firewall_logging
        action_type: gcp
        params:
          service: compute
          action: enable-firewall-logging
          params:
            metadata: EXCLUDE_ALL_METADATA
        ```
    """

    key = "compute:enable-firewall-logging"
    params_model = EnableFirewallLoggingParams
    reversible = True
    idempotent = True
    permissions = FIREWALL_PERMISSIONS

    def plan(self, target: Target, params: EnableFirewallLoggingParams) -> Draft:
        """Read whether the rule logs."""
        named = firewall_of(target)
        project = self.project(named.project)
        rule = Compute(self._clients, project).firewall(named.name)
        before = _state(rule)
        return Draft(
            target=gcp_target(f"projects/{project}/global/firewalls/{rule.name}", project=project),
            before=before,
            after=before if before[LOGGING] else {LOGGING: True, METADATA: params.metadata},
            untouched=("What the rule allows and denies", "Entries that were logged already"),
            notes=("Each entry is billed as Cloud Logging ingestion; a rule for much traffic writes many.",),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read whether the rule logs now."""
        named = firewall_of(plan.target)
        return _state(Compute(self._clients, named.project).firewall(named.name))

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Switch logging on."""
        return self._write(plan, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Switch logging off."""
        return self._write(plan, plan.before)

    def _write(self, plan: ActionPlan, state: State) -> tuple[str, ...]:
        now = self.observe(plan)
        require_between(now, plan)
        if now == state:
            return ()
        settings = {"enable": state[LOGGING]}
        # Google takes metadata only while logging is on.
        config = settings | {"metadata": state[METADATA]} if state[LOGGING] else settings
        named = firewall_of(plan.target)
        return Compute(self._clients, named.project).patch_firewall(named.name, log_config=config)


def _state(rule: Any) -> State:  # noqa: ANN401 - compute_v1.Firewall
    """Return the logging; while it is off its metadata means nothing."""
    if not rule.log_config.enable:
        return {LOGGING: False, METADATA: ABSENT}
    return {LOGGING: True, METADATA: rule.log_config.metadata or "INCLUDE_ALL_METADATA"}
