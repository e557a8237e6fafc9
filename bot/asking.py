"""Asking for a fix from a shell: the same use case as in Slack, with the card drawn by the served bot."""

from audit.actor import Actor
from audit.errors import ConfigError, InputError
from audit.findings import Finding
from bot.config import read_config
from bot.planning import make_planner
from bot.settings import Settings
from remediation import PlaybookExecution, RemediationPlaybook
from remediation.executor import CallerDirectory
from remediation.service import Remediation
from storage import Stores


def ask_from_shell(
    stores: Stores, playbook: RemediationPlaybook, finding: Finding, *, email: str
) -> PlaybookExecution:
    """Store a request made by somebody at a shell. A shell can ask and plan, never approve.

    Raises:
        ConfigError: no channel is configured where the card could appear.
        InputError: the address is none, or the playbook or the finding cannot be used.
    """
    settings = Settings.from_environment()
    config = read_config(settings.countersign_config)
    if not config.channel:
        raise ConfigError("`channel` is not set in the configuration: it says where the card appears")
    if "@" not in email:
        raise InputError(f"“{email[:80]}” is not an email address")
    planner = make_planner(settings, config)
    remediation = Remediation(
        store=stores.executions,
        planner=planner,
        directory=CallerDirectory(),
        exceptions=stores.exceptions,
    )
    requester = Actor(email=email, origin="cli")
    return remediation.request(playbook, finding, requester, channel=config.channel)
