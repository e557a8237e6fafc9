"""A security token service over HTTP that writes down what it is asked, and hands out credentials of a chosen age."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SECRET = "canary-secret-key"
TOKEN = "canary-session-token"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass
class Sts:
    """What was asked, by whom, and what is answered."""

    asked: list[dict[str, str]] = field(default_factory=list)
    account: str = "123456789012"
    lifetime: timedelta = timedelta(seconds=900)
    refusal: tuple[int, str, str] | None = None
    while_answering: Callable[[], object] = lambda: None
    url: str = ""

    def assumed(self) -> list[dict[str, str]]:
        return [one for one in self.asked if one["Action"] == "AssumeRole"]

    def answer(self, form: dict[str, str]) -> tuple[int, str]:
        self.asked.append(form)
        self.while_answering()
        if self.refusal:
            status, code, text = self.refusal
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
            return (
                status,
                f'<ErrorResponse xmlns="{_NAMESPACE}">{error}<RequestId>req-sts</RequestId></ErrorResponse>',
            )
        action = form["Action"]
        result = self._assume(form) if action == "AssumeRole" else f"<Account>{self.account}</Account>"
        return (
            200,
            f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{result}</{action}Result></{action}Response>',
        )

    def _assume(self, form: dict[str, str]) -> str:
        expires = (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"<Credentials><AccessKeyId>ASIACANARY{len(self.asked)}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>"
            f"<SessionToken>{TOKEN}</SessionToken><Expiration>{expires}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>x</AssumedRoleId><Arn>{form['RoleArn']}</Arn></AssumedRoleUser>"
        )


@contextmanager
def serving(sts: Sts) -> Iterator[Sts]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, said = sts.answer({name: values[0] for name, values in parse_qs(body).items()})
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        sts.url = f"http://127.0.0.1:{server.server_port}"
        yield sts
        server.shutdown()
        thread.join()
