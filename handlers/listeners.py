"""Where Slack comes in. A listener writes down what was asked, acknowledges, and hands the work on: nothing else.

Bolt injects by plain argument names and cannot see through `partial`, so services come in by closure.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.models.views import View

from audit.errors import RefusedError
from handlers.blocks.modals import build_glass_form, build_reject_form, refuse_reason
from handlers.blocks.names import (
    APPROVE,
    APPROVE_HERE,
    BATCH_APPROVE,
    BATCH_REFUSE_ROLLBACK,
    BATCH_ROLL_BACK,
    BREAK_GLASS,
    DONE,
    GLASS_FORM,
    NEXT_FINDINGS,
    NOT_DONE,
    PLAN_FIX,
    PREVIOUS_FINDINGS,
    REASON,
    REFUSE_ROLLBACK,
    REJECT,
    REJECT_FORM,
    REVIEWED,
    ROLL_BACK,
    ROLL_BACK_HERE,
    TRY_AGAIN,
    CardRef,
)
from handlers.reply_urls import ReplyUrls
from handlers.requests import (
    action_request,
    channel_of,
    clicked,
    command_request,
    response_url_of,
    shortcut_request,
    trigger_of,
    typed_reason,
    view_request,
)
from handlers.slack_errors import SLACK_FAILURES
from handlers.vocabulary import COMMANDS, SHORTCUTS
from remediation.ports import Dispatcher, Inbox, Request

Body = dict[str, Any]
_BUTTONS = (
    BATCH_APPROVE,
    BATCH_ROLL_BACK,
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
    PREVIOUS_FINDINGS,
    NEXT_FINDINGS,
)


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Return one pattern for several names: Bolt asks listener by listener, and that was a quarter of an acknowledgement."""
    return re.compile(rf"^(?:{'|'.join(map(re.escape, names))})\Z")


def register(
    app: App, inbox: Inbox, *, dispatcher: Dispatcher, clock: Callable[[], datetime], reply_urls: ReplyUrls
) -> None:
    """Listen for the commands, the shortcuts, the buttons of a card, and the rejection form."""

    def keep(request: Request, body: Body) -> str:
        reply_urls.keep(request.request_id, response_url_of(body), now=request.received_at)
        inbox.put(request)
        return request.request_id

    def on_command(ack: Ack, body: Body) -> None:
        request_id = keep(command_request(body, now=clock()), body)
        ack()
        dispatcher.submit("request", request_id)

    def on_click(ack: Ack, body: Body) -> None:
        request_id = keep(action_request(body, now=clock()), body)
        ack()
        dispatcher.submit("request", request_id)

    def on_shortcut(ack: Ack, body: Body) -> None:
        request_id = keep(shortcut_request(body, now=clock()), body)
        ack()
        dispatcher.submit("request", request_id)

    def on_reject_form(ack: Ack, body: Body) -> None:
        if problem := refuse_reason(typed_reason(body)):
            ack(response_action="errors", errors={REASON: problem})
            return
        request_id = keep(view_request(body, now=clock()), body)
        ack()
        dispatcher.submit("request", request_id)

    for command in COMMANDS:
        app.command(command.name)(on_command)
    app.action(any_of(_BUTTONS))(on_click)
    for shortcut in SHORTCUTS:
        app.shortcut({"type": "message_action", "callback_id": shortcut.callback_id})(on_shortcut)
    app.action(REJECT)(open_reject_form)
    app.view(REJECT_FORM)(on_reject_form)
    app.action(BREAK_GLASS)(open_glass_form)
    app.view(GLASS_FORM)(on_reject_form)


def open_reject_form(ack: Ack, body: Body, client: WebClient) -> None:
    """Ask for the reason, at once: what opens a form is worth nothing after three seconds, and nothing is decided yet.

    Acknowledged last: Bolt 1.30 forgets an acknowledgement when its listener fails right after it (thread_runner.py).
    """
    ref = CardRef.parse(clicked(body).get("value"))
    _open(client, body, build_reject_form(ref, channel=channel_of(body)))
    ack()


def open_glass_form(ack: Ack, body: Body, client: WebClient) -> None:
    """Ask why somebody approves alone; see `open_reject_form`."""
    ref = CardRef.parse(clicked(body).get("value"))
    _open(client, body, build_glass_form(ref, channel=channel_of(body)))
    ack()


def _open(client: WebClient, body: Body, form: View) -> None:
    """Open a form.

    Raises:
        RefusedError: Slack did not, in time.
    """
    try:
        client.views_open(trigger_id=trigger_of(body), view=form.to_dict())
    except SLACK_FAILURES as error:
        raise RefusedError(
            "Slack did not open the form in time, so nothing was decided. Click once more."
        ) from error
