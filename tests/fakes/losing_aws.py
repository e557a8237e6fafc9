"""A way to moto's server on which the answers of writes get lost: the cloud has done it, and nobody hears so."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, list[tuple[str, str]], bytes]
_READS = ("Get", "List", "Describe", "Head", "AssumeRole")
# S3's calls have no names on the way: verb and query say which it is.
_OF_S3 = {
    ("PUT", "publicAccessBlock"): "PutPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "DeletePublicAccessBlock",
    ("PUT", "logging"): "PutBucketLogging",
    ("DELETE", "policy"): "DeleteBucketPolicy",
}
_REFUSED: Answer = (
    400,
    [],
    b'{"__type": "TrailAlreadyExistsException", "message": "There is one of this name."}',
)
_ENDS_THE_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class LosingAws:
    """Forwards everything, and keeps back the answer to the first try of each write, but of those in `spared`.

    `tries` counts how often a call was sent, the most of all calls of a name. Moto knows none of EC2's client tokens and makes a trail of
    one name twice, so what AWS documents of them is done here: a call with a token that was there before gets the first one's
    answer, and a trail that was made is refused the second time.
    """

    def __init__(self, endpoint: str) -> None:
        self.is_losing = False
        self.spared: AbstractSet[str] = frozenset()
        self.tries: Counter[str] = Counter()
        self._upstream = urlsplit(endpoint).netloc
        self._sent: Counter[tuple[str, str]] = Counter()
        self._answers: dict[str, Answer] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @classmethod
    @contextmanager
    def before(cls, endpoint: str) -> Iterator[Self]:
        way = cls(endpoint)
        thread = threading.Thread(target=way._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield way
        finally:
            way._server.shutdown()
            way._server.server_close()
            thread.join()

    def handle(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        name, token = _read(verb, path, headers, body)
        if name.startswith(_READS):
            return self._forward(verb, path, headers, body)
        call = (name, headers["amz-sdk-invocation-id"])
        self._sent[call] += 1
        self.tries[name] = max(self.tries[name], self._sent[call])
        if name == "CreateTrail" and self._sent[call] > 1:
            return _REFUSED
        answer = self._answers.get(token) or self._forward(verb, path, headers, body)
        if token:
            self._answers[token] = answer
        is_lost = self.is_losing and name not in self.spared and self._sent[call] == 1
        return None if is_lost else answer

    def _forward(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._upstream)
        connection.request(verb, path, body, headers)
        response = connection.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _ENDS_THE_HOP]
        answer = response.status, kept, response.read()
        connection.close()
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        way = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = way.handle(self.command, self.path, dict(self.headers), body)
                self.close_connection = True
                if answer is None:
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        return Handler


def _read(verb: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Return a call's name and its client token, empty where it has none."""
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2], ""
    if verb == "POST":
        form = parse_qs(body.decode())
        return form["Action"][0], form.get("ClientToken", [""])[0]
    asked = urlsplit(path)
    what = next(iter(parse_qs(asked.query, keep_blank_values=True)), asked.path.rpartition("/")[2])
    return "Get" if verb in {"GET", "HEAD"} else _OF_S3[verb, what], ""
