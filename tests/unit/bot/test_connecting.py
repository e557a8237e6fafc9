"""The first words with Slack: what is wrong is named, and the token is blamed only for what Slack says about it."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from slack_sdk import WebClient

from audit.errors import ConfigError
from bot.connecting import ask_who_we_are, find_silence, open_socket
from bot.sandbox import DEFAULT_WORKSPACE, SlackStandIn

Serve = Callable[[int, bytes], WebClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return what starts a server that answers everything alike, and a client for it."""
    servers: list[tuple[http.server.ThreadingHTTPServer, threading.Thread]] = []

    def start(status: int, body: bytes) -> WebClient:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        servers.append((server, thread))
        return WebClient(
            "xoxb-x", base_url=f"http://127.0.0.1:{server.server_port}/api/", retry_handlers=[], timeout=5
        )

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_slack_says_who_we_are() -> None:
    with SlackStandIn.start() as slack:
        connection = ask_who_we_are(WebClient(slack.workspace.bot_token, base_url=slack.api_url))
    assert (connection.team_id, connection.bot_user_id) == ("T0DEMO", DEFAULT_WORKSPACE.bot_user_id)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (
            200,
            b'{"ok": false, "error": "invalid_auth"}',
            "^SLACK_BOT_TOKEN was refused by Slack: invalid_auth$",
        ),
        (200, b"<html>Hello", "^SLACK_API_URL http://127.* answers, but not as Slack does"),
        (404, b"<html>Not here", "answers, but not as Slack does"),
        (200, b"", "answers, but not as Slack does"),
        (200, b"{}", "answers, but not as Slack does"),
        (200, b"[1]", "answers, but not as Slack does"),
        (200, b'"ok"', "answers, but not as Slack does"),
        (200, b'{"ok": true}', "answers, but not as Slack does"),
        (404, b'{"error": "Not Found"}', "answers, but not as Slack does"),
        (200, b"\xff\xfe\x00", "answers, but not as Slack does"),
        (503, b"busy", "does not answer: HTTP status 503"),
    ],
)
def test_what_answers_wrongly_is_named(serve: Serve, status: int, body: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        ask_who_we_are(serve(status, body))


def test_silence_is_named() -> None:
    with pytest.raises(ConfigError, match="^SLACK_API_URL http://127.0.0.1:1/api/ does not answer"):
        ask_who_we_are(WebClient("xoxb-x", base_url="http://127.0.0.1:1/api/", retry_handlers=[]))


def test_a_refused_app_token_is_named(serve: Serve) -> None:
    client = serve(200, b'{"ok": false, "error": "invalid_auth"}')
    with pytest.raises(ConfigError, match="^SLACK_APP_TOKEN was refused by Slack: invalid_auth$"):
        open_socket(lambda: client.apps_connections_open(app_token="xapp-x"), url=client.base_url)


@dataclass
class Session:
    last_ping_pong_time: float | None
    sock: socket.socket | None = None


@dataclass
class Client:
    """What `find_silence` looks at of slack_sdk's client."""

    current_session: Session | None
    connected: bool = True
    ping_interval: float = 10

    def is_connected(self) -> bool:
        return self.connected


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        (Client(None), "Socket Mode is not connected"),
        (Client(Session(1000.0), connected=False), "Socket Mode is not connected"),
        (Client(Session(None)), ""),  # not pinged yet
        (Client(Session(971.0)), ""),
        (Client(Session(969.0)), "Socket Mode has not heard of Slack for 31 s"),
    ],
)
def test_a_connection_counts_while_slack_answers_pings(client: Client, problem: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        if client.current_session:
            client.current_session.sock = ours
        assert find_silence(client, now=1000.0) == problem  # type: ignore[arg-type]


def test_a_connection_that_the_other_side_has_left_is_none() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        client = Client(Session(1000.0, sock=ours))
        theirs.close()
        assert find_silence(client, now=1000.0) == "Socket Mode has lost its connection"  # type: ignore[arg-type]
    assert find_silence(client, now=1000.0) == "Socket Mode has lost its connection"  # type: ignore[arg-type]
