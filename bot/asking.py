"""Asking for a fix from a shell: the same use case as in Slack, with the card drawn by the served bot."""

import uuid
from collections.abc import Sequence

from audit.actor import Actor
from audit.errors import ConfigError, InputError
from audit.findings import Finding
from bot.config import read_config
from bot.planning import make_planner
from bot.settings import Settings
from remediation import PlaybookExecution, RemediationPlaybook
from remediation.batches import Batch
from remediation.batching import Batching
from remediation.choosing import choose_findings
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
    remediation, channel = _make(stores)
    return remediation.request(playbook, finding, _requester(email), channel=channel)


def ask_many_from_shell(
    stores: Stores, playbook: RemediationPlaybook, words: Sequence[str], *, email: str
) -> Batch:
    """Store a request for several fixes on one card, made by somebody at a shell.

    Raises:
        ConfigError: no channel is configured where the card could appear.
        InputError: the address is none, or the playbook, a finding or the search cannot be used.
        RefusedError: nothing of it can be asked for together.
    """
    (remediation, channel), requester = _make(stores), _requester(email)
    find, tracker, now = stores.reports.find, stores.tracker, remediation.clock()
    findings, left_out = choose_findings(playbook, words, find=find, tracker=tracker, now=now)
    batch_id = f"b-{uuid.uuid4().hex[:12]}"
    return Batching(remediation, stores.batches).ask(
        playbook, findings, requester, batch_id=batch_id, channel=channel, left_out=left_out
    )


def _requester(email: str) -> Actor:
    if "@" not in email:
        raise InputError(f"“{email[:80]}” is not an email address")
    return Actor(email=email, origin="cli")


def _make(stores: Stores) -> tuple[Remediation, str]:
    """Return the use cases, and the channel where cards appear."""
    settings = Settings.from_environment()
    config = read_config(settings.countersign_config)
    if not config.channel:
        raise ConfigError("`channel` is not set in the configuration: it says where the card appears")
    remediation = Remediation(
        store=stores.executions,
        planner=make_planner(settings, config),
        directory=CallerDirectory(),
        exceptions=stores.exceptions,
    )
    return remediation, config.channel
