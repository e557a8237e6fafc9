"""A proxy in front of moto's server that lets single calls go wrong the way networks and clouds do."""

import http.client
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config

Answer = tuple[int, bytes]
Mishap = Callable[[Answer], Answer | None]
"""What becomes of an answer on its way back; None for nothing at all."""


def lost(_: Answer) -> None:
    """The call took effect, and its answer never came."""


def ec2_error(code: str, status: int = 400, text: str = "said AWS") -> Answer:
    body = f"<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors><RequestID>req-1</RequestID></Response>"
    return status, body.encode()


class CloudProxy:
    """Forwards everything; `next_time` says what happens to coming calls of an EC2 action, in order."""

    def __init__(self, endpoint: str) -> None:
        self.calls: list[str] = []
        self._upstream = urlsplit(endpoint).netloc
        self._mishaps: dict[str, list[Mishap]] = defaultdict(list)
        self._instead: dict[str, list[Answer]] = defaultdict(list)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @classmethod
    @contextmanager
    def before(cls, endpoint: str) -> Iterator[Self]:
        proxy = cls(endpoint)
        thread = threading.Thread(target=proxy._server.serve_forever, args=(0.02,))
        thread.start()
        yield proxy
        proxy._server.shutdown()
        proxy._server.server_close()
        thread.join()

    def next_time(self, action: str, *mishaps: Mishap) -> None:
        """Let calls reach the cloud, and something happen to their answers."""
        self._mishaps[action] += mishaps

    def answer_instead(self, action: str, *answers: Answer) -> None:
        """Answer calls in the cloud's place: it never hears of them."""
        self._instead[action] += answers

    def client(self, *, attempts: int = 1) -> Any:
        """Return an EC2 client that goes through here."""
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        address = f"http://127.0.0.1:{self._server.server_port}"
        return boto3.client("ec2", endpoint_url=address, region_name="us-east-1", config=config)

    def handle(self, body: bytes, headers: dict[str, str], path: str) -> Answer | None:
        action = parse_qs(body.decode())["Action"][0]
        self.calls.append(action)
        if self._instead[action]:
            return self._instead[action].pop(0)
        connection = http.client.HTTPConnection(self._upstream)
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = (response.status, response.read())
        connection.close()
        return self._mishaps[action].pop(0)(answer) if self._mishaps[action] else answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = proxy.handle(body, dict(self.headers), self.path)
                self.close_connection = True
                if answer is None:
                    return
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        return Handler
