"""The windows of a batch's card, and what is submitted there: written down like any other request. Nothing is decided here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App, BoltContext
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
from handlers.intake import acknowledge
from handlers.requests import channel_of, clicked, typed_reason, view_request
from handlers.services import Services
from handlers.windows import open_window
from remediation.batch_deciding import refuse_other_set
from remediation.ports import Request

Body = dict[str, Any]
Build = Callable[..., View]
_MOST_FIELDS = 10


def register_batches(app: App, services: Services) -> None:
    """Listen for the buttons that open a window, and for what is submitted there."""

    def opening(build: Build) -> Callable[..., None]:
        def on_click(ack: Ack, body: Body) -> None:
            ack()
            open_window(services, body, lambda: _build(services, body, build))

        return on_click

    def keep(ack: Ack, context: BoltContext, request: Request) -> None:
        acknowledge(services.intake, ack, context, request)

    def on_form(ack: Ack, body: Body, context: BoltContext) -> None:
        keep(ack, context, view_request(body, now=services.clock()))

    def on_reason(ack: Ack, body: Body, context: BoltContext) -> None:
        if problem := refuse_reason(typed_reason(body)):
            ack(response_action="errors", errors={REASON: problem})
            return
        keep(ack, context, view_request(body, now=services.clock()))

    def on_choice(ack: Ack, body: Body, context: BoltContext) -> None:
        if errors := _refuse_choice(body):
            ack(response_action="errors", errors=errors)
            return
        request = view_request(body, now=services.clock())
        keep(ack, context, replace(request, payload={**request.payload, "kept": sorted(_kept(body))}))

    app.action(BATCH_CHANGES)(opening(build_changes_view))
    app.action(BATCH_CHOOSE)(opening(build_choose_view))
    app.action(BATCH_REJECT)(opening(build_reject_view))
    app.view(BATCH_APPROVE_FORM)(on_form)
    app.view(BATCH_REJECT_FORM)(on_reason)
    app.view(BATCH_CHOOSE_FORM)(on_choice)


def _build(services: Services, body: Body, build: Build) -> View:
    """Return a window about the set that the card showed; where it is another one by now, the card is drawn anew instead.

    Raises:
        InputError: the button is from another version.
        NotFoundError: there is no such batch.
        RefusedError: the set is another one by now.
    """
    ref = BatchRef.parse(clicked(body).get("value"))
    members = services.batches.members(ref.batch_id)
    if members.waiting or build is not build_changes_view:
        try:
            refuse_other_set(members, ref.set_seen)
        except RefusedError:
            services.dispatcher.submit("batch", ref.batch_id)
            raise
    return build(members, channel=channel_of(body))


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
