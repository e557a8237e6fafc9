"""The windows of a batch's card: opened within the listener, and what is submitted is written down like any other request.

Nothing is decided here: what opens a window is worth nothing after three seconds, so it is built from the database alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.models.views import View

from audit.errors import RefusedError
from handlers.blocks.batch_views import (
    build_changes_view,
    build_choose_view,
    build_reject_view,
    checked_field,
)
from handlers.blocks.modals import refuse_reason
from handlers.blocks.names import (
    BATCH_APPROVE_FORM,
    BATCH_CHANGES,
    BATCH_CHOOSE,
    BATCH_CHOOSE_FORM,
    BATCH_REJECT,
    BATCH_REJECT_FORM,
    REASON,
    BatchRef,
)
from handlers.requests import channel_of, clicked, trigger_of, typed_reason, view_request
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES
from remediation.batch_deciding import refuse_other_set
from remediation.batches import Members
from remediation.ports import Request

Body = dict[str, Any]
Build = Callable[..., View]
_MOST_FIELDS = 10


def register_batches(app: App, services: Services) -> None:
    """Listen for the buttons that open a window, and for what is submitted there."""

    def opening(build: Build, *, decides: bool) -> Callable[..., None]:
        def on_click(ack: Ack, body: Body, client: WebClient) -> None:
            ref = BatchRef.parse(clicked(body).get("value"))
            members = services.batches.members(ref.batch_id)
            if decides or members.waiting:
                _refuse_outdated(services, members, ref)
            _open(client, body, build(members, channel=channel_of(body)))
            ack()

        return on_click

    def keep(request: Request) -> None:
        services.inbox.put(request)
        services.dispatcher.submit("request", request.request_id)

    def on_form(ack: Ack, body: Body) -> None:
        keep(view_request(body, now=services.clock()))
        ack()

    def on_reason(ack: Ack, body: Body) -> None:
        if problem := refuse_reason(typed_reason(body)):
            ack(response_action="errors", errors={REASON: problem})
            return
        keep(view_request(body, now=services.clock()))
        ack()

    def on_choice(ack: Ack, body: Body) -> None:
        if errors := _refuse_choice(body):
            ack(response_action="errors", errors=errors)
            return
        request = view_request(body, now=services.clock())
        keep(replace(request, payload={**request.payload, "kept": sorted(_kept(body))}))
        ack()

    app.action(BATCH_CHANGES)(opening(build_changes_view, decides=False))
    app.action(BATCH_CHOOSE)(opening(build_choose_view, decides=True))
    app.action(BATCH_REJECT)(opening(build_reject_view, decides=True))
    app.view(BATCH_APPROVE_FORM)(on_form)
    app.view(BATCH_REJECT_FORM)(on_reason)
    app.view(BATCH_CHOOSE_FORM)(on_choice)


def _refuse_outdated(services: Services, members: Members, ref: BatchRef) -> None:
    """Refuse to show another set than the one on the card: the card is drawn anew instead.

    Raises:
        RefusedError: it is another one by now.
    """
    try:
        refuse_other_set(members, ref.set_seen)
    except RefusedError:
        services.dispatcher.submit("batch", ref.batch_id)
        raise


def _open(client: WebClient, body: Body, window: View) -> None:
    try:
        client.views_open(trigger_id=trigger_of(body), view=window.to_dict())
    except SLACK_FAILURES as error:
        raise RefusedError("Slack did not open the window in time. Click once more.") from error


def _refuse_choice(body: Body) -> dict[str, str]:
    """Return what is wrong with a choice, by field: nothing was taken out, or nobody said why."""
    if set(_offered(body)) == set(_kept(body)):
        return {checked_field(0): "Take the tick off what should not be fixed, or cancel."}
    problem = refuse_reason(typed_reason(body))
    return {REASON: problem} if problem else {}


def _offered(body: Body) -> Iterator[str]:
    """Yield the values of all ticks that the window offered."""
    for block in _list(_part(body, "view").get("blocks")):
        element = _part(block, "element")
        if element.get("type") == "checkboxes":
            yield from _values(element.get("options"))


def _kept(body: Body) -> Iterator[str]:
    """Yield the values of the ticks that were left on."""
    values = _part(_part(_part(body, "view"), "state"), "values")
    for number in range(_MOST_FIELDS):
        field = _part(_part(values, checked_field(number)), checked_field(number))
        yield from _values(field.get("selected_options"))


def _values(options: object) -> Iterator[str]:
    for option in _list(options):
        if isinstance(value := option.get("value"), str):
            yield value


def _list(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _part(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}
