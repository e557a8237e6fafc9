"""Planning, put together once: the served bot and the command line draw up the same plans."""

from bot.config import Config
from bot.settings import Settings
from remediation.actions.clouds import Clouds
from remediation.actions.equipment import Equipment
from remediation.actions.registry import ActionRegistry
from remediation.planning import Planner
from remediation.ports import Messenger


def make_registry(equipment: Equipment | None = None, *, clouds: Clouds | None = None) -> ActionRegistry:
    """Return all actions that ship; without `clouds`, on the clouds' default credentials.

    Loads no SDK: a client is made when first used.
    """
    return ActionRegistry.standard(clouds or Clouds(), equipment or Equipment())


def make_planner(settings: Settings, config: Config, *, messenger: Messenger | None = None) -> Planner:
    """Return a planner with all actions that ship, under the policy and the accounts in force.

    Without a messenger one is made: a shell's plan has to be the served bot's plan, or nobody could run what was asked for there.
    """
    equipment = make_equipment(settings, config, messenger=messenger)
    registry = make_registry(equipment, clouds=config.accounts.to_clouds())
    return Planner(registry, config.to_policy())


def make_equipment(settings: Settings, config: Config, *, messenger: Messenger | None = None) -> Equipment:
    """Return what the configuration lets actions use beside the clouds. Connects to nothing."""
    return Equipment(
        messenger=messenger or _slack(settings),
        targets=config.notifications,
        scripts=config.scripts.build(settings.config_folder) if config.scripts else None,
        raw_calls=frozenset(config.raw_calls),
    )


def _slack(settings: Settings) -> Messenger:
    from bot.client import make_client
    from handlers.messenger import SlackMessenger

    return SlackMessenger(make_client(settings))
