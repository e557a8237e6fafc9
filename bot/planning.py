"""Planning, put together once: the served bot and the command line draw up the same plans."""

from remediation.actions.clouds import Clouds
from remediation.actions.registry import ActionRegistry
from remediation.planning import Planner
from remediation.policy import Policy


def make_registry() -> ActionRegistry:
    """Return all actions that ship, on the clouds' default credentials. Loads no SDK: a client is made when first used."""
    return ActionRegistry.standard(Clouds())


def make_planner(policy: Policy) -> Planner:
    """Return a planner with all actions that ship, under the policy in force."""
    return Planner(make_registry(), policy)
