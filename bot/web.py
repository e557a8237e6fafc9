"""What the bot answers over HTTP: Slack's signed requests, and three questions from whoever runs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from slack_bolt import BoltRequest, BoltResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.landing import Landing
from bot.report_page import ReportPage
from handlers.door import Door, may_wait, read, refusal

LISTENER_THREADS = 16
MOST_BODY_BYTES = 1024 * 1024
Probe = Callable[[], dict[str, str]]


def make_web(
    app: Door | None, *, probe: Probe, page: ReportPage, registry: CollectorRegistry | None = None
) -> Starlette:
    """Return the web application.

    Args:
        app: the Bolt app that answers `POST /slack/events`; None where Slack comes by Socket Mode.
        probe: returns what is not ready, by name; empty when all is well.
        page: answers `GET /reports/{id}`.
        registry: what `GET /metrics` shows.
    """
    threads = ThreadPoolExecutor(LISTENER_THREADS, thread_name_prefix="listener")

    @contextlib.asynccontextmanager
    async def lifespan(_web: Starlette) -> AsyncIterator[None]:
        yield
        threads.shutdown(wait=True)

    async def answer_alive(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def answer_ready(_request: Request) -> Response:
        missing = await asyncio.get_running_loop().run_in_executor(threads, probe)
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def answer_metrics(_request: Request) -> Response:
        read = partial(generate_latest, registry or CollectorRegistry())
        text = await asyncio.get_running_loop().run_in_executor(threads, read)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route("/healthz", answer_alive),
        Route("/readyz", answer_ready),
        Route("/metrics", answer_metrics),
        Route("/reports/{report_id}", page.answer),
    ]
    if app is not None:
        slack = SlackEvents(app, threads)
        routes.insert(0, Route("/slack/events", slack, methods=["POST"]))  # asked for most
    return Starlette(routes=routes, lifespan=lifespan)


class SlackEvents:
    """Answers Slack's signed requests on the event loop, once what they ask for is stored.

    Args:
        app: finds the listener; nothing in it waits, unless `may_wait` says so.
        threads: for what may wait.
    """

    def __init__(self, app: Door, threads: ThreadPoolExecutor) -> None:
        self._app = app
        self._threads = threads
        self._landing = Landing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application, which spares the layers that the framework puts around a function."""
        answer = await self.answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Answer a request: 413 where it is larger than anything Slack sends, 401 where Slack has not signed it, 400 where it is nothing Slack sends.

        What is not signed is not taken apart: a megabyte of it would hold up everybody.
        """
        body = await _read_body(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        if not self._app.is_signed(body, request.headers):
            return _to_response(self._app.answer_unsigned(body))
        asked = read(
            body=body.decode("utf-8", "replace"),
            query=request.scope["query_string"].decode("latin-1"),
            headers=_headers(request),
        )
        return _to_response(refusal() if asked is None else await self._answer(asked))

    async def _answer(self, asked: BoltRequest) -> BoltResponse:
        if may_wait(asked):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._app.dispatch, asked)
        answering = self._app.begin(asked)
        if answering.stored is not None:
            await self._landing.wait_for(answering.stored)
        return self._app.finish(answering)


async def _read_body(request: Request) -> bytes | None:
    """Return the body, None where it is larger than anything Slack sends."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return None
    return bytes(body)


def _headers(request: Request) -> dict[str, str | Sequence[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    return dict(headers)


def _to_response(answer: BoltResponse) -> Response:
    headers = {name: values[0] for name, values in answer.first_headers_without_set_cookie().items()}
    return Response(answer.body, status_code=answer.status, headers=headers)
