"""What actions beside the clouds' own work with: handed in by whoever puts the program together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from remediation.actions.script_folder import ScriptFolder
from remediation.ports import Messenger


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Without any of it there is no Slack to post in, no target to notify, no script to run and no raw call to make.

    `targets` maps a name that playbooks use to a URL of Apprise's, `raw_calls` holds `service:action` as playbooks write them.
    """

    messenger: Messenger | None = None
    targets: Mapping[str, SecretStr] = field(default_factory=dict)
    scripts: ScriptFolder | None = None
    raw_calls: frozenset[str] = frozenset()
