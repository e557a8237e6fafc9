"""Planning, put together once: the served bot and the command line draw up the same plans."""

from bot.accounts import AccountsSection
from bot.settings import Config
from remediation.actions.registry import ActionRegistry
from remediation.planning import Planner


def make_registry(accounts: AccountsSection | None = None) -> ActionRegistry:
    """Return all actions that ship, as whom the configuration says; without it, on the clouds' default credentials.

    Loads no SDK: a client is made when first used.
    """
    return ActionRegistry.standard((accounts or AccountsSection()).to_clouds())


def make_planner(config: Config) -> Planner:
    """Return a planner with all actions that ship, under the policy and the accounts in force."""
    return Planner(make_registry(config.accounts), config.to_policy())
