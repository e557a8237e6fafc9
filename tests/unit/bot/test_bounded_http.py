"""Whoever sends without end is cut off; all others are answered."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import cast

import pytest
import uvicorn
from slack_bolt import App

from bot.bounded_http import MOST_REQUEST_BYTES, BoundedHttp
from bot.report_page import ReportPage
from bot.web import MOST_BODY_BYTES, make_web

HEAD = b"POST /slack/events HTTP/1.1\r\nHost: here\r\n"
PIECE = b"x" * 65_536
FAR_MORE = 8 * MOST_REQUEST_BYTES


class NoPage:
    async def answer(self, _request: object) -> None:
        raise AssertionError("nobody asks for a page")


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    web = make_web(cast("App", object()), probe=dict, page=cast("ReportPage", NoPage()))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(web, log_config=None, loop="uvloop", http=BoundedHttp, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture
def line(address: tuple[str, int]) -> Iterator[socket.socket]:
    with contextlib.closing(socket.create_connection(address, timeout=60)) as opened:
        yield opened


def sent_until_cut_off(line: socket.socket) -> int:
    """Send piece after piece; return how many bytes went before the other side would have no more."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < FAR_MORE:
            line.sendall(PIECE)
            sent += len(PIECE)
    return sent


def status(line: socket.socket) -> int:
    with HTTPResponse(line) as answer:
        answer.begin()
        answer.read()
        return answer.status


@pytest.mark.parametrize(
    "begin",
    [
        b"POST /",
        HEAD + b"X-Long: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Long: ",
    ],
    ids=["address", "header", "trailer"],
)
def test_what_never_ends_is_cut_off(line: socket.socket, begin: bytes) -> None:
    line.sendall(begin)
    assert sent_until_cut_off(line) < FAR_MORE


def test_a_body_that_is_too_large_is_answered_in_words(line: socket.socket) -> None:
    size = MOST_BODY_BYTES + 1
    line.sendall(HEAD + f"Content-Length: {size}\r\n\r\n".encode())
    line.sendall(b"x" * size)
    assert status(line) == 413


def test_many_requests_on_one_line_are_each_counted_alone(line: socket.socket) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Long: " + b"x" * 30_000 + b"\r\n\r\n"
    for _ in range(1 + MOST_REQUEST_BYTES // len(request)):
        line.sendall(request)
        assert status(line) == 200


def test_nonsense_is_refused(line: socket.socket) -> None:
    line.sendall(b"\0\1\2 nonsense\r\n\r\n")
    assert status(line) == 400
