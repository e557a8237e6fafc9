"""Google Cloud on one local port: checks who asks and what, lets a test make things go wrong, hands the rest to the services."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.google.checks import Call, faults_of_answer, faults_of_request, find_call
from tests.fakes.google.compute import ComputeService
from tests.fakes.google.identity import Identity
from tests.fakes.google.refusal import Refusal
from tests.fakes.google.secrets_store import SecretManager
from tests.fakes.google.storage import StorageService

LONGEST_STALL_S = 30
Query = dict[str, list[str]]


@dataclass(slots=True)
class Fault:
    """Something that goes wrong `times` times, each time a method is called."""

    method: str
    happen: Callable[[], None]
    times: int
    after: bool = False


@dataclass
class GoogleCloud:
    """The stand-in. `violations` holds what broke Google's own description of its API: a test must end with none."""

    storage: StorageService
    identity: Identity = field(default_factory=Identity)
    compute: ComputeService = field(default_factory=ComputeService)
    secrets: SecretManager = field(default_factory=SecretManager)
    address: str = ""
    calls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    reads_only: bool = False
    _faults: list[Fault] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def refuse(self, method: str, status: int, message: str, reason: str = "", *, times: int = 1) -> None:
        """Answer the next calls of a method with an error."""

        def happen() -> None:
            raise Refusal(status, message, reason)

        self._faults.append(Fault(method, happen, times))

    def stall(self, method: str, *, times: int = 1, after: bool = False) -> None:
        """Do not answer the next calls of a method; with `after`, having done what they ask."""

        def happen() -> None:
            self._over.wait(LONGEST_STALL_S)
            raise ConnectionAbortedError

        self._faults.append(Fault(method, happen, times, after))

    def meanwhile(self, method: str, change: Callable[[], None]) -> None:
        """Let somebody change something right before the next call of a method is looked at."""
        self._faults.append(Fault(method, change, 1))

    def end(self) -> None:
        self._over.set()

    def answer(self, verb: str, url: str, body: Any, token: str) -> dict[str, Any]:
        """Answer a request; raises `Refusal` for an error."""
        parts = urlsplit(url)
        if parts.path == "/token":
            return self.identity.issue_token(body)
        if parts.path.endswith(":generateAccessToken"):
            return self.identity.impersonate(parts.path, token)
        call, query = find_call(verb, parts.path), parse_qs(parts.query, keep_blank_values=True)
        if call is None:
            self.violations.append(f"{verb} {parts.path} is no method of Google's")
            raise Refusal(404, f"{verb} {parts.path} is no method")
        self.calls.append(call.method)
        self._check(call, "asked", faults_of_request(call, query, body))
        self.identity.require_token(token)
        if self.reads_only and verb != "GET":
            self.violations.append(f"{call.method} writes, where only reading was allowed")
        self._go_wrong(call.method, after=False)
        answered = self._serve(call, query, body)
        self._check(call, "answered", faults_of_answer(call, answered))
        self._go_wrong(call.method, after=True)
        return answered

    def _check(self, call: Call, did: str, wrong: list[str]) -> None:
        if wrong:
            self.violations.append(f"{call.method} {did}: {'; '.join(wrong)}")
            raise Refusal(400, "; ".join(wrong), "invalid")

    def _go_wrong(self, method: str, *, after: bool) -> None:
        for fault in self._faults:
            if fault.method == method and fault.after is after and fault.times:
                fault.times -= 1
                fault.happen()

    def _serve(self, call: Call, query: Query, body: Any) -> dict[str, Any]:
        services: dict[str, Callable[..., dict[str, Any]]] = {
            "compute": self.compute.serve,
            "storage": self.storage.serve,
            "iam": self.identity.serve,
            "secretmanager": self.secrets.serve,
        }
        return services[call.api](call, query, body)


@contextmanager
def serving(cloud: GoogleCloud) -> Iterator[GoogleCloud]:
    """Serve a stand-in on a free port of 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
    server.daemon_threads = True
    cloud.address = f"http://127.0.0.1:{server.server_address[1]}"
    cloud.identity.token_uri = f"{cloud.address}/token"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield cloud
    finally:
        cloud.end()
        server.shutdown()
        server.server_close()


def _handler(cloud: GoogleCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_ANY(self) -> None:
            try:
                status, answer = (
                    200,
                    cloud.answer(
                        self.command, self.path, self._body(), self.headers.get("Authorization", "")
                    ),
                )
            except Refusal as refusal:
                status, answer = refusal.status, refusal.to_json()
            except ConnectionAbortedError:
                self.close_connection = True
                return
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(payload)))
            self.send_header("X-GUploader-UploadID", "upload-1")
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_ANY  # noqa: N815

        def _body(self) -> Any:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            cloud.bodies.append(raw)
            if not raw:
                return None
            is_form = "urlencoded" in self.headers.get("Content-Type", "")
            return {name: values[0] for name, values in parse_qs(raw).items()} if is_form else json.loads(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
