"""A gate before the stand-in for AWS: what is written to a bucket's block waits there as long as the test wants."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_HOPS = {"connection", "content-length", "date", "server", "transfer-encoding"}
_HELD_S = 120.0


class Gate:
    """Hands every request on; while it is shut, writes of a bucket's block wait in it and are then dropped."""

    def __init__(self, endpoint: str) -> None:
        self._behind = urlsplit(endpoint).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._open = threading.Event()
        self._open.set()
        self.waits = threading.Event()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @classmethod
    @contextmanager
    def before(cls, endpoint: str) -> Iterator[Self]:
        """Run a gate before the endpoint."""
        gate = cls(endpoint)
        thread = threading.Thread(target=gate._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield gate
        finally:
            gate.open()
            gate._server.shutdown()
            thread.join()
            gate._server.server_close()

    def shut(self) -> None:
        """Let no write of a block through from now on."""
        self.waits.clear()
        self._open.clear()

    def open(self) -> None:
        """Let everything through again; what waits was sent by somebody who is gone, and comes to nothing."""
        self._open.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:  # whoever asked has died
                    self.close_connection = True

            def _pass_on(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if self.command == "PUT" and "publicAccessBlock" in self.path and not gate._open.is_set():
                    gate.waits.set()
                    gate._open.wait(_HELD_S)
                    self.close_connection = True
                    return
                status, headers, content = gate._ask(self.command, self.path, body, dict(self.headers))
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOPS:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self._behind, timeout=30)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() != "connection"}
            connection.request(method, path, body, kept)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
