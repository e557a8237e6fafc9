"""Windows that open upon a click or a command. It is acknowledged first: Slack may take a second to open one, or not do it.

What opens a window (`trigger_id`) is worth nothing after three seconds and nothing is decided yet, so nothing is written down.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View

from audit.errors import RefusedError
from handlers.clients import make_impatient
from handlers.errors import tell_back, to_words
from handlers.requests import trigger_of
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, TOO_LATE, advise, code_of

log = structlog.get_logger()
Body = dict[str, Any]
TRIGGER_LIVES_S = 3.0


def open_window(
    services: Services,
    body: Body,
    build: Callable[[], View],
    *,
    then: Callable[[str], None] = lambda _: None,
    or_else: Callable[[], None] | None = None,
) -> None:
    """Have a window built and opened, on another thread. Call it after `ack()`.

    Args:
        services: with the client for Slack.
        body: what Slack sent; its `trigger_id` opens the window.
        build: returns the window; what it raises is told to the person.
        then: what to do with the id of the window once it is open.
        or_else: what to do where Slack does not open it; None tells the person.
    """
    until = time.monotonic() + TRIGGER_LIVES_S

    def open_it() -> None:
        window = build()
        try:
            window_id = _open(services, body, window, until=until)
        except RefusedError:
            if or_else is None:
                raise
            or_else()
        else:
            then(window_id)

    services.aside.run(open_it, or_tell=lambda error: tell_back(services, body, to_words(error)))


def _open(services: Services, body: Body, window: View, *, until: float) -> str:
    """Open a window and return its id. Where the time is over already, Slack is not asked.

    Raises:
        RefusedError: Slack did not open it; says what to do about it.
    """
    left = until - time.monotonic()
    if left <= 0:
        log.warning("window not opened", error="too late")
        raise RefusedError(advise(TOO_LATE))
    client = make_impatient(services.client, timeout_s=math.ceil(left))
    try:
        opened = client.views_open(trigger_id=trigger_of(body), view=window.to_dict())
    except SLACK_FAILURES as error:
        code = code_of(error)
        log.warning("window not opened", error=code)
        raise RefusedError(advise(code if isinstance(error, SlackApiError) else TOO_LATE)) from error
    return str((opened.get("view") or {}).get("id", ""))
