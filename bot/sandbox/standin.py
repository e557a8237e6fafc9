"""The stand-in for Slack: state, routes, page and a server thread, composed.

with SlackStandIn.start(bot_url="http://127.0.0.1:3000") as slack:
    slack.command(user="ana", channel="#security", text="/report list")
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette

from bot.sandbox.driving import Driving
from bot.sandbox.pageserver import PageServer
from bot.sandbox.pagesetup import PageSetup
from bot.sandbox.routes import slack_routes
from bot.sandbox.state import State
from bot.sandbox.workspace import DEFAULT_WORKSPACE, Workspace

_START_S = 60.0


@dataclass(repr=False, eq=False)
class SlackStandIn(Driving):
    """A running mock of Slack on 127.0.0.1; see `Driving` and `Observing` for what tests do with it."""

    page: PageSetup = field(default_factory=PageSetup)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @classmethod
    def start(
        cls,
        workspace: Workspace = DEFAULT_WORKSPACE,
        *,
        bot_url: str = "",
        port: int = 0,
        ack_timeout_s: float = 3.0,
        page: PageSetup | None = None,
    ) -> Self:
        """Start the server in a thread of its own; `port` 0 takes a free one. Raises OSError."""
        listener = socket.create_server(("127.0.0.1", port))
        slack = cls(
            State(workspace),
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            bot_url=bot_url,
            ack_timeout_s=ack_timeout_s,
            page=page or PageSetup(),
            registered=frozenset(command.command for command in page.commands) if page else frozenset(),
        )
        slack._serve(listener)
        return slack

    def stop(self) -> None:
        """Close every connection and end the server thread."""
        if self._server and self._thread:
            self._pages.close()
            self._server.should_exit = True
            self._thread.join()

    @property
    def api_url(self) -> str:
        """The `base_url` for slack_sdk's WebClient (`SLACK_API_URL`)."""
        return f"{self.base_url}/api/"

    @property
    def page_url(self) -> str:
        """The address of the demo page, with the token that lets a browser in."""
        return f"{self.base_url}/?token={self._pages.token}"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pages = PageServer(self, self.page)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _serve(self, listener: socket.socket) -> None:
        ready = threading.Event()

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            self.sockets.loop = asyncio.get_running_loop()
            async with self._pages.running():
                ready.set()
                yield

        app = Starlette(routes=[*slack_routes(self), *self._pages.routes()], lifespan=lifespan)
        config = uvicorn.Config(
            app,
            http="h11",
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="slack-stand-in", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_S):
            raise OSError("the stand-in for Slack did not start")
