"""Where Slack comes in. A listener writes down what was asked, acknowledges, and hands the work on: nothing else.

Bolt injects by plain argument names and cannot see through `partial`, so services come in by closure.
"""

from typing import Any

from slack_bolt import Ack, App, BoltContext

from handlers.blocks.modals import build_glass_form, build_reject_form, refuse_reason
from handlers.blocks.names import (
    APPROVE,
    APPROVE_HERE,
    BATCH_APPROVE,
    BATCH_APPROVE_HERE,
    BATCH_REFUSE_ROLLBACK,
    BATCH_ROLL_BACK,
    BATCH_ROLL_BACK_HERE,
    BREAK_GLASS,
    DONE,
    GLASS_FORM,
    NEXT_PAGE,
    NOT_DONE,
    PLAN_FIX,
    PREVIOUS_PAGE,
    REASON,
    REFUSE_ROLLBACK,
    REJECT,
    REJECT_FORM,
    REVIEWED,
    ROLL_BACK,
    ROLL_BACK_HERE,
    SHOW_FINDINGS,
    TRY_AGAIN,
    CardRef,
)
from handlers.forms import asks_for_form, open_form
from handlers.intake import acknowledge
from handlers.patterns import any_of
from handlers.requests import (
    action_request,
    channel_of,
    clicked,
    command_request,
    response_url_of,
    shortcut_request,
    typed_reason,
    view_request,
)
from handlers.services import Services
from handlers.vocabulary import COMMANDS, SHORTCUTS
from handlers.windows import open_window
from remediation.ports import Request

Body = dict[str, Any]
_BUTTONS = (
    BATCH_APPROVE,
    BATCH_APPROVE_HERE,
    BATCH_ROLL_BACK,
    BATCH_ROLL_BACK_HERE,
    BATCH_REFUSE_ROLLBACK,
    REFUSE_ROLLBACK,
    REVIEWED,
    PLAN_FIX,
    APPROVE,
    APPROVE_HERE,
    ROLL_BACK,
    ROLL_BACK_HERE,
    DONE,
    NOT_DONE,
    TRY_AGAIN,
    PREVIOUS_PAGE,
    NEXT_PAGE,
    SHOW_FINDINGS,
)


def register(app: App, services: Services) -> None:
    """Listen for the buttons of a card, the commands, the shortcuts, and the forms that ask for a reason.

    Registered ahead of everything else: Bolt 1.30 asks listener by listener, and gathers all that a listener may want before each
    (kwargs_injection/utils.py), so what people do most comes first.
    """

    def keep(ack: Ack, body: Body, context: BoltContext, request: Request) -> None:
        """Have it written down and handed on."""
        services.reply_urls.keep(request.request_id, response_url_of(body), now=request.received_at)
        acknowledge(services.intake, ack, context, request)

    def on_command(ack: Ack, body: Body, context: BoltContext) -> None:
        if asks_for_form(body):
            ack()
            open_form(services, body)
            return
        keep(ack, body, context, command_request(body, now=services.clock()))

    def on_click(ack: Ack, body: Body, context: BoltContext) -> None:
        keep(ack, body, context, action_request(body, now=services.clock()))

    def on_shortcut(ack: Ack, body: Body, context: BoltContext) -> None:
        keep(ack, body, context, shortcut_request(body, now=services.clock()))

    def on_reason(ack: Ack, body: Body, context: BoltContext) -> None:
        if problem := refuse_reason(typed_reason(body)):
            ack(response_action="errors", errors={REASON: problem})
            return
        keep(ack, body, context, view_request(body, now=services.clock()))

    app.action(any_of(_BUTTONS))(on_click)
    app.command(any_of(command.name for command in COMMANDS))(on_command)
    app.view(any_of((REJECT_FORM, GLASS_FORM)))(on_reason)
    for shortcut in SHORTCUTS:
        app.shortcut({"type": "message_action", "callback_id": shortcut.callback_id})(on_shortcut)
    _register_windows(app, services)


def _register_windows(app: App, services: Services) -> None:
    """Listen for the buttons that ask for a reason first."""

    def on_reject(ack: Ack, body: Body) -> None:
        ack()
        open_window(services, body, lambda: build_reject_form(_card_of(body), channel=channel_of(body)))

    def on_break_glass(ack: Ack, body: Body) -> None:
        ack()
        open_window(services, body, lambda: build_glass_form(_card_of(body), channel=channel_of(body)))

    app.action(REJECT)(on_reject)
    app.action(BREAK_GLASS)(on_break_glass)


def _card_of(body: Body) -> CardRef:
    """Return which card was clicked on.

    Raises:
        InputError: the button is from another version.
    """
    return CardRef.parse(clicked(body).get("value"))
