"""How a caller of the specification's classes hears that something was left out of a file that cannot say so itself."""

import logging
from collections.abc import Callable

Notice = Callable[[str], None]
_log = logging.getLogger("exporters")


def log_rejected(reason: str) -> None:
    """Log what was left out, and why."""
    _log.warning("left out of the export: %s", reason)
