"""A tiny real Bolt app, served over HTTP from a thread, against a real stand-in."""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox import SlackStandIn
from tests.endings import Later

Serve = Callable[[App], str]


@contextlib.contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve an ASGI app on a free port until the block ends; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", loop="asyncio", http="h11"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def starlette_for(bolt: App) -> Starlette:
    async def events(request: Request) -> Response:
        body = await request.body()
        answer = await run_in_threadpool(bolt.dispatch, to_bolt_request(request, body))
        return to_starlette_response(answer)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


def bolt_for(slack: SlackStandIn) -> App:
    """A Bolt App that talks to the stand-in and to nothing else."""
    workspace = slack.workspace
    client = WebClient(workspace.bot_token, base_url=slack.api_url)
    logger = logging.getLogger("tiny-bot")
    logger.setLevel(logging.CRITICAL)
    return App(client=client, signing_secret=workspace.signing_secret, logger=logger)


@pytest.fixture
def slack(later: Later) -> Iterator[SlackStandIn]:
    standin = SlackStandIn.start(ack_timeout_s=2.0)
    yield standin
    later(standin.stop)


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient(slack.workspace.bot_token, base_url=slack.api_url)


@pytest.fixture
def bolt(slack: SlackStandIn) -> App:
    return bolt_for(slack)


@pytest.fixture
def serve(slack: SlackStandIn, later: Later) -> Iterator[Serve]:
    """Serve a Bolt App over HTTP and point the stand-in at it."""
    stack = contextlib.ExitStack()

    def start(app: App) -> str:
        slack.bot_url = stack.enter_context(serving(starlette_for(app)))
        return slack.bot_url

    yield start
    later(stack.close)
