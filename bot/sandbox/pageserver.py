"""The demo page's server side: static files, the picture of the workspace, and what people do in it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import resources

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.sandbox.driving import Driving
from bot.sandbox.pageacts import ACTS
from bot.sandbox.pagefiles import file_response
from bot.sandbox.pageguard import Endpoint, Guard
from bot.sandbox.pagemail import MailPages
from bot.sandbox.pagesetup import PageSetup
from bot.sandbox.pagestate import page_script, page_state
from bot.sandbox.panels import LivePanels
from bot.sandbox.shapes import Json

_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_POLL_S = 1.0
_KEEP_ALIVE_S = 15.0


class PageServer:
    """Serves one stand-in's page; `close` ends the live streams so that the server can stop."""

    def __init__(self, slack: Driving, setup: PageSetup) -> None:
        self._slack, self._setup = slack, setup
        self._guard = Guard(slack.base_url, slack.workspace.bot_token)
        self._panels = LivePanels(setup.panels)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: set[asyncio.Event] = set()
        self._is_closing = False
        slack.state.listeners.append(self._notify)
        if setup.inbox:
            setup.inbox.listeners.append(self._notify)

    @property
    def token(self) -> str:
        return self._guard.token

    def routes(self) -> list[BaseRoute]:
        """The page's routes, every one behind the guard."""
        get: dict[str, Endpoint] = {
            "/": self._index,
            "/static/{name}": self._static,
            "/archives/{channel}/{place}": self._permalink,
            "/files/{file_id}": self._file,
            "/page/state": self._state,
            "/page/script": self._script,
            "/page/events": self._events,
        }
        if self._setup.inbox:
            get |= MailPages(self._setup.inbox).endpoints()
        return [
            *(Route(path, self._guard.protect(endpoint)) for path, endpoint in get.items()),
            Route("/page/{act}", self._guard.protect(self._act), methods=["POST"]),
        ]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the panels while the server runs."""
        self._loop = asyncio.get_running_loop()
        watch = asyncio.create_task(self._watch_panels())
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    def close(self) -> None:
        """End the live streams."""
        self._is_closing = True
        self._notify()

    def _notify(self) -> None:
        """Wake the live streams, from any thread."""
        if self._loop and self._streams:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for stream in self._streams:
            stream.set()

    async def _watch_panels(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            is_news = await run_in_threadpool(self._panels.read) if self._streams else False
            if is_news:
                self._wake()

    async def _index(self, request: Request) -> Response:
        return self._guard.welcome(request) or _page_file("index.html")

    async def _static(self, request: Request) -> Response:
        return _page_file(request.path_params["name"])

    async def _permalink(self, request: Request) -> Response:
        digits = request.path_params["place"].removeprefix("p")
        return RedirectResponse(f"/#{request.path_params['channel']}/{digits[:-6]}.{digits[-6:]}", 303)

    async def _file(self, request: Request) -> Response:
        file = self._slack.state.files.get(request.path_params["file_id"])
        if file is None or file.content is None:
            return PlainTextResponse("No such file", 404)
        is_download = "download" in request.query_params
        return file_response(file.name, file.mimetype, file.content, is_download=is_download)

    async def _state(self, request: Request) -> Response:
        user = request.query_params.get("as", "")
        return JSONResponse(await run_in_threadpool(self._picture, user))

    async def _script(self, _request: Request) -> Response:
        return JSONResponse(page_script(self._slack, self._setup))

    def _picture(self, user: str) -> Json:
        shown = user if user in self._cast() else self._cast()[0]
        panels = self._panels.to_json()
        return page_state(self._slack, self._setup, shown) | {"panels": panels}

    def _cast(self) -> list[str]:
        return [self._slack.workspace.person(name).id for name in self._setup.people]

    async def _events(self, _request: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        """A line for each change; the page then fetches its picture anew."""
        news = asyncio.Event()
        self._streams.add(news)
        try:
            while not self._is_closing:
                yield f"data: {self._slack.state.version}\n\n"
                news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), _KEEP_ALIVE_S)
        finally:
            self._streams.discard(news)

    async def _act(self, request: Request) -> Response:
        body = await request.json()
        act = ACTS.get(request.path_params["act"])
        if act is None or (body.get("as", "") not in self._cast()):
            return JSONResponse({"error": "unknown act or person"}, 400)
        try:
            answer = await run_in_threadpool(act, self._slack, self._panels, body)
        except (LookupError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        self._wake()
        return JSONResponse(answer)


def _page_file(name: str) -> Response:
    """A file of the `page` folder by its plain name."""
    source = resources.files("bot.sandbox.page") / name
    kind = _TYPES.get(name.rpartition(".")[2])
    if kind is None or "/" in name or not source.is_file():
        return PlainTextResponse("Not found", 404)
    return Response(source.read_bytes(), media_type=kind)
