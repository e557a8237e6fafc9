"""Logs: one line of JSON per event, secrets taken out before anything is written."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from remediation.actions.aws.clients import quiet_sdk_loggers

HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(
    r"token|secret|password|passwd|authorization|api_?key|private_key|cookie|response_url", re.IGNORECASE
)
_SECRET_TEXTS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|A(?:KI|SI)A[A-Z0-9]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END[^\n]*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|https://hooks\.slack\.com/\S+|(?i:bearer)\s+[\w.~+/-]+=*"
)
_CHATTY = ("slack_bolt", "slack_sdk", "uvicorn", "apscheduler", "alembic", "httpx", "werkzeug")


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide values of secret names, and whatever looks like a secret in any text: a structlog processor."""
    return {name: HIDDEN if _SECRET_NAMES.search(name) else hide(value) for name, value in event.items()}


def hide(value: object) -> object:
    """Return a JSON-like value with everything in it that looks like a secret hidden."""
    if isinstance(value, str):
        return _SECRET_TEXTS.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _SECRET_NAMES.search(str(key)) else hide(entry) for key, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [hide(entry) for entry in value]
    return value


def configure_logs(*, level: int = logging.INFO) -> None:
    """Send our events, and the libraries' warnings, to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    quiet_sdk_loggers()
