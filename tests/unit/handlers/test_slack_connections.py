"""Connections to Slack stay open from call to call, and what goes wrong on one is raised as the SDK knows it."""

import gc
import http.server
import json
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler

from audit.actor import Actor
from handlers.blocks.parts import Message, section
from handlers.replies import reply
from handlers.slack_client import Line, SlackClient
from handlers.slack_connections import SlackConnections
from handlers.slack_errors import SLACK_FAILURES, code_of, may_have_arrived
from remediation.ports import Request
from tests.fakes.authority import Authority
from tests.unit.handlers.cards import AT

OK = b'{"ok": true}'
ASKED = Request(request_id="r", kind="command", actor=Actor(slack_id="U0ANA"), payload={}, received_at=AT)


@dataclass
class FarEnd:
    """Slack's end of the connections: what came on each, and how it answers."""

    port: int = 0
    asked: list[list[str]] = field(default_factory=list)
    """For each connection, oldest first, the addresses that were asked for on it."""
    seen: list[dict[str, str]] = field(default_factory=list)
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    echoes: bool = False
    together: threading.Barrier | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"


class _Handler(http.server.BaseHTTPRequestHandler):
    end: FarEnd
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.asked: list[str] = []
        self.end.asked.append(self.asked)

    def finish(self) -> None:
        super().finish()
        self.end.ended.release()

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        self.end.seen.append(dict(self.headers))
        if self.end.together:
            self.end.together.wait()
        if self.end.hangs_up:
            self.close_connection = True
            return
        self.send_response(self.end.status)
        answer = json.dumps({"ok": True, "said": asked.decode()}).encode() if self.end.echoes else OK
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        for name, value in self.end.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: some who call hang up, as they should."""


@contextmanager
def far_end(tls: ssl.SSLContext | None = None) -> Iterator[FarEnd]:
    end = FarEnd()
    handler = type("Handler", (_Handler,), {"end": end})
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        end.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield end
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def end() -> Iterator[FarEnd]:
    with far_end() as end:
        yield end


def client_of(url: str, *, connections: SlackConnections | None = None, **options: Any) -> SlackClient:
    line = Line(connections=connections or SlackConnections())
    return SlackClient(
        line=line, token="xoxb-1", base_url=url, **{"timeout": 5, "retry_handlers": [], **options}
    )


def test_calls_one_after_another_share_a_connection(end: FarEnd) -> None:
    client = client_of(end.url)
    for _ in range(3):
        client.api_test()
    client.chat_postMessage(channel="C0SECURITY", text="ä & <b>")
    assert end.asked == [["/api/api.test"] * 3 + ["/api/chat.postMessage"]]
    assert {seen["Authorization"] for seen in end.seen} == {"Bearer xoxb-1"}


def test_calls_at_once_have_a_connection_each_and_it_stays(end: FarEnd) -> None:
    client, end.together = client_of(end.url), threading.Barrier(4)
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda _: client.api_test(), range(4)))
        list(people.map(lambda _: client.api_test(), range(4)))
    assert sorted(map(len, end.asked)) == [2, 2, 2, 2]


def test_one_that_slack_says_it_closes_is_not_asked_on(end: FarEnd) -> None:
    client, end.headers = client_of(end.url), {"Connection": "close"}
    client.api_test()
    client.api_test()
    assert list(map(len, end.asked)) == [1, 1]


@contextmanager
def saying(
    *conversations: list[bytes], tls: ssl.SSLContext | None = None, closed: threading.Event | None = None
) -> Iterator[str]:
    """Take a connection for each conversation, and say a part of it for each thing that is asked; yield the address."""

    def talk() -> None:
        for parts in conversations:
            accepted, _ = listener.accept()
            with tls.wrap_socket(accepted, server_side=True) if tls else accepted as taken:
                for part in parts:
                    if taken.recv(65536):  # else it was closed at the other end
                        taken.sendall(part)
            if closed:
                closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        slack = threading.Thread(target=talk)
        slack.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/api/"
        slack.join()


def answering(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


def test_one_that_slack_closes_in_silence_is_not_asked_on_either() -> None:
    closed = threading.Event()
    with saying([answering(OK)], [answering(OK)], closed=closed) as url:
        client = client_of(url)
        client.api_test()
        assert closed.wait(5)
        client.api_test()


def test_what_slack_says_beyond_its_answer_is_no_answer_to_the_next() -> None:
    surplus = answering(b'{"ok": true, "of": "the surplus"}')
    with saying([answering(OK) + surplus, answering(b'{"ok": true, "of": "the second"}')]) as url:
        client = client_of(url)
        client.api_test()
        assert client.api_test()["of"] == "the second"


def test_an_answer_that_is_none_yet_is_not_the_next_ones() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    with saying(
        [hints, answering(b'{"ok": true, "of": "the first"}')],
        [answering(b'{"ok": true, "of": "the second"}')],
    ) as url:
        client = client_of(url)
        with pytest.raises(SlackApiError):
            client.api_test()
        assert client.api_test()["of"] == "the second"


def test_nor_is_what_came_within_the_same_record(tmp_path: Path) -> None:
    authority, served = Authority.found(tmp_path), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(authority.issue("127.0.0.1"))
    whole = 8192  # what is read at once: the surplus stays in the TLS object
    head = len(answering(bytes(whole))) - whole
    first = answering(OK.ljust(whole - head))
    assert len(first) == whole
    surplus, second = (
        answering(b'{"ok": true, "of": "the surplus"}'),
        answering(b'{"ok": true, "of": "the second"}'),
    )
    with saying([first + surplus, b""], [second], tls=served) as url:
        client = client_of(url, ssl=authority.trusting())
        client.api_test()
        assert client.api_test()["of"] == "the second"


def test_one_that_was_idle_too_long_is_replaced(end: FarEnd) -> None:
    client = client_of(end.url, connections=SlackConnections(kept_for_s=0.0))
    client.api_test()
    client.api_test()
    assert list(map(len, end.asked)) == [1, 1]


def test_they_close_with_whoever_held_them(end: FarEnd) -> None:
    client = client_of(end.url)
    client.api_test()
    del client
    gc.collect()
    assert end.ended.acquire(timeout=5)


def test_the_token_follows_no_redirect(end: FarEnd) -> None:
    end.status, end.headers = 302, {"Location": f"{end.url}elsewhere"}
    with pytest.raises(SlackApiError):
        client_of(end.url).api_test()
    assert end.asked == [["/api/api.test"]]


def test_a_limit_says_how_long(end: FarEnd) -> None:
    end.status, end.headers = 429, {"Retry-After": "7"}
    with pytest.raises(SlackApiError) as raised:
        client_of(end.url, patience_s=0).api_test()
    assert raised.value.response.headers["Retry-After"] == "7"


def test_whoever_hangs_up_without_a_word_may_have_done_it(end: FarEnd) -> None:
    client, end.hangs_up = client_of(end.url), True
    with pytest.raises(RemoteDisconnected) as raised:
        client.api_test()
    assert may_have_arrived(raised.value)
    assert end.asked == [["/api/api.test"]]


def test_no_answer_in_time_may_have_done_it(end: FarEnd) -> None:
    end.together = threading.Barrier(2)
    with pytest.raises(TimeoutError) as raised:
        client_of(end.url, timeout=0.2).api_test()
    assert may_have_arrived(raised.value)
    end.together.abort()


def test_what_nobody_took_has_not_arrived() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}/api/", "http://nowhere.invalid/api/"):
        with pytest.raises(URLError) as raised:
            client_of(address).api_test()
        assert not may_have_arrived(raised.value), code_of(raised.value)


def test_a_header_that_cannot_be_sent_is_not_sent(end: FarEnd) -> None:
    with pytest.raises(SlackRequestError) as raised:
        client_of(end.url, headers={"X-Note": "two\nlines"}).api_test()
    assert not may_have_arrived(raised.value)
    assert [asked for asked in end.asked if asked] == []


def test_certificates_are_looked_at(tmp_path: Path) -> None:
    authority, served = Authority.found(tmp_path), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(authority.issue("127.0.0.1"))
    with far_end(served) as end:
        address = end.url.replace("http:", "https:")
        trusted = client_of(address, ssl=authority.trusting())
        trusted.api_test()
        trusted.api_test()
        assert list(map(len, end.asked)) == [2]
        with pytest.raises(URLError) as raised:
            client_of(address, ssl=ssl.create_default_context()).api_test()
        assert isinstance(raised.value.reason, ssl.SSLCertVerificationError)
        assert not may_have_arrived(raised.value)


def test_where_there_is_a_proxy_the_sdk_goes_its_own_way(
    end: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("http://slack.invalid/api/", proxy=f"http://ana:p%40ss@127.0.0.1:{end.port}")
    for _ in range(2):
        client.api_test()
        reply(client, ASKED, Message("Done", (section("Done"),)), url="http://slack.invalid/hook")
    assert end.asked == [["http://slack.invalid/api/api.test"], ["http://slack.invalid/hook"]] * 2
    expected = "Basic " + b64encode(b"ana:p@ss").decode()
    assert {seen["Proxy-Authorization"] for seen in end.seen} == {expected}

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    end.asked.clear()
    for _ in range(2):
        client_of(end.url).api_test()
    assert end.asked == [["/api/api.test"]] * 2, "it is not asked for this one"


@pytest.mark.parametrize(
    "address",
    [
        "https://slack.invalid:abc/",
        "https://slack.invalid:99999/",
        "ftp://slack.invalid/",
        "http://127.0.0.1:99999/",
    ],
)
def test_an_address_that_cannot_be_is_a_failure_as_any(address: str) -> None:
    with pytest.raises(SLACK_FAILURES):
        client_of(address).api_test()


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"what?\r\n\r\n"])
def test_half_an_answer_is_not_asked_for_again(said: bytes) -> None:
    with saying([said]) as url:  # who asked again would find nobody, and fail in another way
        client = client_of(url, retry_handlers=[ConnectionErrorRetryHandler(max_retry_count=2)])
        with pytest.raises(HTTPException) as raised:
            client.api_test()
    assert may_have_arrived(raised.value)


def test_one_on_which_no_answer_came_in_time_is_not_asked_on(end: FarEnd) -> None:
    client, end.together = client_of(end.url, timeout=0.3), threading.Barrier(2)
    with pytest.raises(TimeoutError):
        client.api_test()
    end.together.abort()
    end.together = None
    assert client.api_test()["ok"]
    assert list(map(len, end.asked)) == [1, 1]


def test_many_at_once_each_get_their_own_answer(end: FarEnd) -> None:
    client = client_of(end.url, connections=SlackConnections(kept_for_s=0.001))
    end.echoes = True
    with ThreadPoolExecutor(16) as people:
        asked = [f"n{number}" for number in range(800)]
        said = list(people.map(lambda word: client.api_test(word=word)["said"], asked))
    assert [word in heard for word, heard in zip(asked, said, strict=True)] == [True] * len(asked)


def test_answers_by_url_go_over_the_same_connections(end: FarEnd) -> None:
    client = client_of(end.url)
    for _ in range(2):
        client.api_test()
        reply(client, ASKED, Message("Done", (section("Done"),)), url=f"{end.url}hook")
    assert end.asked == [["/api/api.test", "/api/hook"] * 2]
