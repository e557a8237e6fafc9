"""`POST /api/{method}`: one table of methods, the token check, and Slack's way to answer."""

import time
from typing import Any

from bot.sandbox import apichat, apifiles, apipeople, apiviews
from bot.sandbox.apiargs import Api, ApiError, Args, Method
from bot.sandbox.records import Call
from bot.sandbox.shapes import Json

_APP_TOKEN_METHODS = {"apps.connections.open"}


def auth_test(api: Api, _args: Args) -> Json:
    """Who the token belongs to."""
    workspace = api.state.workspace
    return {
        "url": f"{api.base_url}/",
        "team": workspace.team_name,
        "team_id": workspace.team_id,
        "user": workspace.person(workspace.bot_user_id).name,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def api_test(_api: Api, args: Args) -> Json:
    """Answer with the arguments."""
    return {"args": args.values}


def open_connection(api: Api, _args: Args) -> Json:
    """Answer where a Socket Mode client may connect, once."""
    return {"url": f"{api.base_url.replace('http', 'ws', 1)}/socket?ticket={api.new_ticket()}"}


METHODS: dict[str, Method] = {
    "api.test": api_test,
    "auth.test": auth_test,
    "apps.connections.open": open_connection,
    **apichat.METHODS,
    **apifiles.METHODS,
    **apipeople.METHODS,
    **apiviews.METHODS,
}


def _authorize(api: Api, method: str, token: str) -> None:
    workspace = api.state.workspace
    if not token:
        raise ApiError("not_authed")
    if token not in (workspace.bot_token, workspace.app_token):
        raise ApiError("invalid_auth")
    if (token == workspace.app_token) != (method in _APP_TOKEN_METHODS):
        raise ApiError("not_allowed_token_type")


def _run(api: Api, args: Args, token: str) -> Json:
    if args.method not in METHODS:
        raise ApiError("unknown_method")
    _authorize(api, args.method, token)
    return METHODS[args.method](api, args)


def call(api: Api, args: Args, token: str) -> Json:
    """Run a Web API method and record it; the answer is Slack's JSON, errors included."""
    try:
        answer: dict[str, Any] = {"ok": True, **_run(api, args, token)}
    except ApiError as error:
        answer = {"ok": False, "error": error.code}
        if error.messages:
            answer |= {
                "errors": list(error.messages),
                "response_metadata": {"messages": list(error.messages)},
            }
    record = Call(args.method, args.values, time.time(), answer.get("error", ""))
    api.state.record_call(record)
    return answer
