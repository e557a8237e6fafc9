"""The use cases of a fix: request and decide. Running and putting back is `remediation.runner`.

The Slack handlers, the CLI and `PlaybookExecutor` all come through here. Each step that changes something
is one stored transition with its trail entry; the notifier is told afterwards, and reads the state itself.
"""

from dataclasses import dataclass

from remediation.clock import utc_now as utc_now  # noqa: PLC0414 - others import it from here
from remediation.deciding import Decisions
from remediation.requesting import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation(Requests, Decisions):
    """Requests and decisions; see `Desk` for what it works with."""
