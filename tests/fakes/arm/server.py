"""The stand-in's HTTP side: a real server on loopback, which keeps count of what it was asked and would not take."""

import itertools
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.arm.acts import ACTS, Answer, Asked, refuse
from tests.fakes.arm.routes import complaints, find_route
from tests.fakes.arm.world import World

TOKEN = "Bearer of-the-tests"
_OPERATION = re.compile(
    r"/subscriptions/[^/]+/providers/Microsoft\.Network/locations/[^/]+/operations/([\w-]+)"
)


class ArmStandIn:
    """Azure Resource Manager, as far as our actions go. `asked` has each request's route; `complaints` what was wrong in them."""

    def __init__(self) -> None:
        self.world = World()
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.complaints: list[str] = []
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer | None:
        """Return the answer to a request; None where the connection is to be closed without one."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        if headers.get("Authorization") != TOKEN:
            return refuse(401, "InvalidAuthenticationToken", "The access token is missing or invalid.")
        if operation := _OPERATION.fullmatch(parts.path):
            return Answer(200, self.world.look_at(operation[1]), {"Retry-After": "0"})
        match = find_route(method, parts.path)
        wrong = [f"no route {method} {parts.path}"] if match is None else list(complaints(match, query, body))
        if match is None or wrong:
            self.complaints += wrong
            return refuse(400, "InvalidRequestContent", "; ".join(wrong))
        self.asked.append(match.route.name)
        self.bodies.append(body)
        return self._act(match.route.name, Asked(parts.path, query, headers, body, self.url))

    def _act(self, route: str, asked: Asked) -> Answer | None:
        self.world.meanwhile.pop(route, lambda: None)()
        fault = self.world.fault_for(route)
        if fault is None:
            return ACTS[route](self.world, asked)
        if fault.after:
            ACTS[route](self.world, asked)
        return refuse(fault.status, fault.code, fault.message, fault.headers) if fault.status else None


def _handler(standin: ArmStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave in two parts; the second is not to wait 40 ms for the first one to be acknowledged.
        disable_nagle_algorithm = True

        def handle_request(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            body = json.loads(sent) if sent else None
            with standin.lock:
                answer = standin.answer(self.command, self.path, self.headers, body)
            if answer is None:
                self.close_connection = True
                return
            self._send(answer)

        do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = handle_request  # noqa: N815 - http.server's names

        def _send(self, answer: Answer) -> None:
            content = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("x-ms-request-id", f"azure-request-{next(standin.numbers)}")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Say nothing: what was asked is in `asked`."""

    return Handler
