"""The HTTP and web socket routes that Slack itself offers to an app."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.sandbox import webapi
from bot.sandbox.apiargs import Api, Args
from bot.sandbox.apifiles import receive_upload
from bot.sandbox.driving import Driving
from bot.sandbox.faults import Fault
from bot.sandbox.responding import use_response_url
from bot.sandbox.shapes import Json

_LONGEST_WAIT_S = 60.0


def slack_routes(slack: Driving) -> list[BaseRoute]:
    """Routes for the Web API, uploads, response_urls and Socket Mode."""
    return [
        Route("/api/{method}", _with_faults(slack, _web_api), methods=["GET", "POST"]),
        Route("/upload/{token}", _with_faults(slack, _upload), methods=["POST"]),
        Route("/response/{token}", _with_faults(slack, _respond), methods=["POST"]),
        WebSocketRoute("/socket", slack.sockets.endpoint),
    ]


def _with_faults(slack: Driving, handle: Callable[[Driving, Request], Any]) -> Callable[[Request], Any]:
    """Let an ordered fault decide before (or instead of, or after) the real handler."""

    async def endpoint(request: Request) -> Response:
        name = request.path_params.get("method") or request.url.path.split("/")[1]
        fault = slack.faults.take(name)
        if fault is None:
            return cast("Response", await handle(slack, request))
        await asyncio.sleep(fault.delay_s)
        if fault.until:
            await run_in_threadpool(fault.until.wait, _LONGEST_WAIT_S)
        if fault.drop:
            return _cut(request)
        if fault.status or fault.error:
            await request.body()
            return _refusal(fault)
        response = cast("Response", await handle(slack, request))
        await asyncio.sleep(fault.late_s)
        if fault.late_until:
            await run_in_threadpool(fault.late_until.wait, _LONGEST_WAIT_S)
        return _cut(request) if fault.drop_after else response

    return endpoint


def _refusal(fault: Fault) -> Response:
    status = fault.status or 200
    error = fault.error or ("ratelimited" if status == 429 else "fatal_error")  # noqa: PLR2004 - HTTP
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.page is not None:
        return HTMLResponse(fault.page, status, headers)
    return JSONResponse({"ok": False, "error": error}, status, headers)


def _cut(request: Request) -> Response:
    """Close the connection without an answer; ASGI has no word for that, uvicorn's transport does."""
    cast("Any", request.receive).__self__.transport.abort()
    return Response()


async def _arguments(request: Request) -> Json:
    """Query, form and JSON arguments merged; a body that is not an object counts as empty."""
    found: Json = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        with contextlib.suppress(ValueError):
            parsed = json.loads(body)
            found |= parsed if isinstance(parsed, dict) else {}
    else:
        found |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return found


async def _web_api(slack: Driving, request: Request) -> Response:
    values = await _arguments(request)
    token = str(values.pop("token", "")) or request.headers.get("authorization", "").removeprefix("Bearer ")
    api = Api(slack.state, slack.base_url, slack.sockets.new_ticket)
    args = Args(request.path_params["method"], values)
    granted = {"x-oauth-scopes": ",".join(sorted(slack.workspace.scopes))}
    return JSONResponse(await run_in_threadpool(webapi.call, api, args, token), headers=granted)


async def _upload(slack: Driving, request: Request) -> Response:
    """Take the bytes as the body, or as the first file of a multipart form."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            content = await files[0].read() if files else b""
    else:
        content = await request.body()
    status = receive_upload(slack.state, request.path_params["token"], content)
    return PlainTextResponse(f"OK - {len(content)}" if status == 200 else "upload failed", status)  # noqa: PLR2004


async def _respond(slack: Driving, request: Request) -> Response:
    body = await _arguments(request)
    status, word = use_response_url(slack.state, request.path_params["token"], body)
    return PlainTextResponse(word, status)
