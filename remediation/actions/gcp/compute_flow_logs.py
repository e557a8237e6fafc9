"""Switch on a VPC subnetwork's flow logs, and off again."""

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from audit.errors import Cause, PermanentActionError
from remediation.actions.contract import Draft, Params, Permissions
from remediation.actions.gcp.action import GcpAction, gcp_target, require_between
from remediation.actions.gcp.compute import Compute
from remediation.actions.gcp.names import Located, subnetwork_of
from remediation.plan import ABSENT, ActionPlan, State, Target

LOGS, INTERVAL, SAMPLING, METADATA = "Flow logs", "Aggregation interval", "Sampling", "Log metadata"
# Google keeps flow logs for ordinary subnetworks only: the rest has no machines of ours in it.
_WITHOUT_FLOW_LOGS = {
    "GLOBAL_MANAGED_PROXY",
    "INTERNAL_HTTPS_LOAD_BALANCER",
    "PRIVATE_NAT",
    "PRIVATE_SERVICE_CONNECT",
    "REGIONAL_MANAGED_PROXY",
}
Interval = Literal[
    "INTERVAL_5_SEC",
    "INTERVAL_30_SEC",
    "INTERVAL_1_MIN",
    "INTERVAL_5_MIN",
    "INTERVAL_10_MIN",
    "INTERVAL_15_MIN",
]


class EnableFlowLogsParams(Params):
    """What is logged. `flow_sampling` is the share of flows, a number from 0 to 1 as a text, such as "0.5"."""

    aggregation_interval: Interval = "INTERVAL_5_SEC"
    flow_sampling: Annotated[str, StringConstraints(pattern=r"^(0\.[0-9]{0,3}[1-9]|1(\.0)?)$")] = "0.5"
    metadata: Literal["INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA"] = "INCLUDE_ALL_METADATA"


class EnableSubnetFlowLogs(GcpAction[EnableFlowLogsParams]):
    """Have a subnetwork log who talks with whom.

    A subnetwork that logs already keeps logging as it does. It is written under its fingerprint, so what somebody else
    wrote meanwhile is never overwritten.

    Example:
        ```yaml
        action_name: enable_flow_logs
        action_type: gcp
        params:
          service: compute
          action: enable-subnet-flow-logs
          params:
            aggregation_interval: INTERVAL_5_SEC
            flow_sampling: "0.5"
        ```
    """

    key = "compute:enable-subnet-flow-logs"
    params_model = EnableFlowLogsParams
    reversible = True
    idempotent = True
    permissions = Permissions(
        plan=("compute.subnetworks.get",),
        apply=("compute.subnetworks.update", "compute.regionOperations.get"),
        rollback=("compute.subnetworks.update", "compute.regionOperations.get"),
    )

    def plan(self, target: Target, params: EnableFlowLogsParams) -> Draft:
        """Read whether the subnetwork logs."""
        named = subnetwork_of(target)
        project = self.project(named.project)
        subnetwork = Compute(self._clients, project).subnetwork(named)
        if subnetwork.purpose in _WITHOUT_FLOW_LOGS:
            raise PermanentActionError(
                f"The subnetwork {subnetwork.name} is for {subnetwork.purpose}: Google keeps no flow logs of those",
                cause=Cause.INVALID,
            )
        before = _state(subnetwork)
        resource = f"projects/{project}/regions/{named.region}/subnetworks/{subnetwork.name}"
        return Draft(
            target=gcp_target(resource, project=project, region=named.region),
            before=before,
            after=before if before[LOGS] else _on(params),
            untouched=("Machines, routes and firewall rules", "Entries that were logged already"),
            notes=("Each entry is billed as network telemetry; half of all flows is Google's own default.",),
        )

    def observe(self, plan: ActionPlan) -> State:
        """Read whether the subnetwork logs now."""
        return _state(self._read(subnetwork_of(plan.target)))

    def apply(self, plan: ActionPlan) -> tuple[str, ...]:
        """Switch flow logs on."""
        return self._write(plan, plan.after)

    def rollback(self, plan: ActionPlan) -> tuple[str, ...]:
        """Switch flow logs off."""
        return self._write(plan, plan.before)

    def _read(self, named: Located) -> Any:  # noqa: ANN401 - compute_v1.Subnetwork
        return Compute(self._clients, named.project).subnetwork(named)

    def _write(self, plan: ActionPlan, state: State) -> tuple[str, ...]:
        named = subnetwork_of(plan.target)
        subnetwork = self._read(named)
        now = _state(subnetwork)
        require_between(now, plan)
        if now == state:
            return ()
        return Compute(self._clients, named.project).patch_subnetwork(
            named, fingerprint=subnetwork.fingerprint, log_config=_config(state)
        )


def _on(params: EnableFlowLogsParams) -> State:
    return {
        LOGS: True,
        INTERVAL: params.aggregation_interval,
        SAMPLING: _share(float(params.flow_sampling)),
        METADATA: params.metadata,
    }


def _state(subnetwork: Any) -> State:  # noqa: ANN401 - compute_v1.Subnetwork
    """Return the flow logs; while they are off, what they would say means nothing."""
    config = subnetwork.log_config
    if not config.enable:
        return {LOGS: False, INTERVAL: ABSENT, SAMPLING: ABSENT, METADATA: ABSENT}
    return {
        LOGS: True,
        INTERVAL: config.aggregation_interval,
        SAMPLING: _share(config.flow_sampling),
        METADATA: config.metadata,
    }


def _share(sampling: float) -> str:
    """Write a share as a text: a state holds no floats, and Google's are of single precision."""
    return f"{sampling:.4f}".rstrip("0").rstrip(".")


def _config(state: State) -> dict[str, object]:
    if not state[LOGS]:
        return {"enable": False}
    return {
        "enable": True,
        "aggregation_interval": state[INTERVAL],
        "flow_sampling": float(str(state[SAMPLING])),
        "metadata": state[METADATA],
    }
