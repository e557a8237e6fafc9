"""views.*: modals and the App Home."""

import time
from dataclasses import replace

from bot.sandbox.apiargs import Api, ApiError, Args, Method
from bot.sandbox.blockkit import with_ids
from bot.sandbox.namedfiles import check_view_in
from bot.sandbox.records import View
from bot.sandbox.shapes import Json
from bot.sandbox.state import Trigger
from bot.sandbox.views import STACK_LIMIT
from bot.sandbox.wire import view_json


def _spend_trigger(api: Api, args: Args) -> Trigger:
    """Use up a trigger_id; raises invalid_, exchanged_ or expired_trigger_id."""
    ident = args.text("trigger_id") or args.required("interactivity_pointer")
    with api.state.change():
        trigger = api.state.triggers.get(ident)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.is_used:
            raise ApiError("exchanged_trigger_id")
        if time.monotonic() > trigger.expires:
            raise ApiError("expired_trigger_id")
        api.state.triggers[ident] = replace(trigger, is_used=True)
    return trigger


def _payload(api: Api, args: Args, kind: str) -> Json:
    """The `view` argument, checked; raises invalid_arguments."""
    view = args.json("view")
    if not isinstance(view, dict):
        raise ApiError("invalid_arguments", ["[ERROR] missing required field: view"])
    if view.get("type") != kind:
        raise ApiError("invalid_arguments", [f"[ERROR] must be a {kind} [json-pointer:/view/type]"])
    api.refuse(args.method, check_view_in(api.state, view))
    return view | {"blocks": list(with_ids(view["blocks"]))}


def _answer(api: Api, view: View) -> Json:
    return {"view": view_json(api.state, view)}


def open_view(api: Api, args: Args) -> Json:
    """Open a modal for the person whose interaction gave the trigger."""
    payload = _payload(api, args, "modal")
    trigger = _spend_trigger(api, args)
    with api.state.change():
        return _answer(api, api.state.views.open(trigger.user, payload))


def push_view(api: Api, args: Args) -> Json:
    """Stack a modal on the one whose interaction gave the trigger."""
    payload = _payload(api, args, "modal")
    trigger = _spend_trigger(api, args)
    with api.state.change():
        stack = api.state.views.stack(trigger.user)
        if trigger.view_id is None or not stack:
            raise ApiError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise ApiError("push_limit_reached")
        return _answer(api, api.state.views.push(stack[-1], payload))


def update_view(api: Api, args: Args) -> Json:
    """Replace an open modal; `hash` guards against overwriting a newer one."""
    payload = _payload(api, args, "modal")
    with api.state.change():
        try:
            view = api.state.views.get(args.text("view_id"), args.text("external_id"))
        except LookupError:
            raise ApiError("not_found") from None
        if args.has("hash") and args.text("hash") != view.hash:
            raise ApiError("hash_conflict")
        return _answer(api, api.state.views.update(view, payload))


def publish_view(api: Api, args: Args) -> Json:
    """Set a person's App Home."""
    user = args.required("user_id")
    payload = _payload(api, args, "home")
    if user not in {person.id for person in api.state.workspace.people}:
        raise ApiError("user_not_found")
    with api.state.change():
        known = api.state.views.home(user)
        if known and args.has("hash") and args.text("hash") != known.hash:
            raise ApiError("hash_conflict")
        return _answer(api, api.state.views.publish(user, payload))


METHODS: dict[str, Method] = {
    "views.open": open_view,
    "views.push": push_view,
    "views.update": update_view,
    "views.publish": publish_view,
}
