"""A stateful stand-in for Azure Resource Manager on loopback, as strict as the SDK's own models and routes."""

from tests.fakes.arm.server import ArmStandIn
from tests.fakes.arm.world import Fault, World

__all__ = ["ArmStandIn", "Fault", "World"]
