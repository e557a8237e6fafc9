"""The window that shows a rollback before it is ordered or signed: what was, what the fix set, and what is there now.

A window has to be opened within three seconds, and a cloud may take longer to be read. So it opens at once without anything to submit,
and the worker fills it. A window is nobody's state: one that was never filled is closed and opened again.
"""

from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk.models.views import View

from audit.errors import CountersignError
from handlers.blocks.names import HOME_ROLL_BACK, CardRef
from handlers.blocks.views import build_reading_view, build_roll_back_view, build_unreadable_view
from handlers.requests import clicked
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of
from handlers.windows import open_window
from remediation.execution import PlaybookExecution
from remediation.rollbacks import Rollbacks

log = structlog.get_logger()
Body = dict[str, Any]


def register_rollback_window(app: App, services: Services) -> None:
    """Listen for the buttons that open it."""

    def on_click(ack: Ack, body: Body) -> None:
        ack()
        open_window(
            services,
            body,
            lambda: _build(services, body),
            then=lambda window_id: _have_it_filled(services, body, window_id),
        )

    app.action(HOME_ROLL_BACK)(on_click)


def _build(services: Services, body: Body) -> View:
    """Return the window as it opens, before the resource is read.

    Raises:
        InputError: the button is from another version.
        NotFoundError: what it is about is not there.
    """
    execution = _execution_of(services, body)
    return build_reading_view(execution, services.card_rules_for(execution))


def _have_it_filled(services: Services, body: Body, window_id: str) -> None:
    execution = _execution_of(services, body)
    if execution.can_roll_back:
        services.dispatcher.submit("window", f"{window_id}/{execution.execution_id}")


def _execution_of(services: Services, body: Body) -> PlaybookExecution:
    return services.executions.get(CardRef.parse(clicked(body).get("value")).execution_id)


def fill_window(services: Services, work_id: str) -> None:
    """Read the resource, and show in an open window what would be put back. One that was closed meanwhile is left alone.

    Raises:
        NotFoundError: there is no such execution.
    """
    window_id, _, execution_id = work_id.partition("/")
    execution = services.executions.get(execution_id)
    try:
        services.client.views_update(view_id=window_id, view=_draw(services, execution).to_dict())
    except SLACK_FAILURES as error:
        log.info("window not filled", error=code_of(error))


def _draw(services: Services, execution: PlaybookExecution) -> View:
    """Return the window as the resource is now; what stands in the way of a rollback is said, and then nothing can be submitted."""
    rules = services.card_rules_for(execution)
    try:
        settings = Rollbacks(services.remediation, services.runner).preview(execution.execution_id)
    except CountersignError as error:
        return build_unreadable_view(execution, rules, error.explain())
    return build_roll_back_view(execution, rules, settings)
