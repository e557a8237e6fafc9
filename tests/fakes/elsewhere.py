"""A server that is not Slack: it answers everything with one body."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Elsewhere:
    """What it answers (uploads with a status of their own), and the paths that were asked for; SELF stands for its address."""

    body: bytes
    status: int = 200
    paths: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving_elsewhere(plan: Elsewhere) -> Iterator[Elsewhere]:
    """Serve it on a free port of this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            plan.paths.append(self.path)
            body = plan.body.replace(b"SELF", plan.url.encode())
            self.send_response(plan.status if "upload" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plan.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield plan
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
