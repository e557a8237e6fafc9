"""Connections to Slack that stay open from call to call: whoever has clicked waits for no handshake.

The SDK opens one for each call. What goes wrong on the way is raised as its own way would (`urllib.request`), since its retry handlers
and `handlers.slack_errors` know those errors.
"""

import selectors
import threading
import time
import weakref
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BytesIO
from ssl import SSLContext, SSLSocket
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, getproxies

from slack_sdk.errors import SlackRequestError

# Firewalls drop what is idle, some without a word: a call on such a connection would wait for its time-out.
KEPT_FOR_S: Final = 30.0
_SUCCESS: Final = range(200, 300)
_PROXIED: Final = frozenset({"http", "https", "all"})
Place = tuple[str, str, SSLContext | None]
"""Where a connection goes: scheme, host and port, and what certificates are held to."""

Kept = dict[Place, deque[tuple[float, HTTPConnection]]]
"""Connections that nobody uses, with since when; the newest last."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of success, whole."""

    status: int
    headers: HTTPMessage
    body: str


class SlackConnections:
    """The open connections of a process, for all of its threads; each is one thread's alone from a call's begin to its end.

    They close when nobody holds this any more.

    Args:
        kept_for_s: seconds after its last call in which a connection is used again. It is closed at the
            first call to the same place after them.
    """

    def __init__(self, *, kept_for_s: float = KEPT_FOR_S) -> None:
        self._kept_for_s = kept_for_s
        self._is_proxied = not _PROXIED.isdisjoint(getproxies())
        self._kept: Kept = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._kept)

    def go_through(self, proxy: str | None) -> bool:
        """Tell whether calls go out here: not where there is a proxy, for which the SDK's own way is the right one."""
        return not proxy and not self._is_proxied

    def send(self, request: Request, *, timeout_s: float, tls: SSLContext | None) -> Answer:
        """Send a request, and return its answer. A redirect is followed nowhere.

        Args:
            request: as the SDK has made it, with the bot's token.
            timeout_s: seconds to wait for a connection, and then for each part of the answer.
            tls: what certificates are held to; None for the system's own.

        Raises:
            HTTPError: the answer's status is not one of success.
            URLError: it could not be sent; `reason` says why.
            OSError, HTTPException: it may have been sent, and no whole answer came.
            SlackRequestError: there is no such address, or a header cannot be sent; nothing was.
        """
        place = request.type, request.host, tls
        connection = self._take(place) or _connection(place, timeout_s)
        with ExitStack() as ending:
            ending.callback(connection.close)
            answer, content = _exchange(connection, request, timeout_s)
            # Below 200 it is none yet: what is asked next would get this one's.
            if not answer.will_close and answer.status >= _SUCCESS.start:
                ending.pop_all()
                self._keep(place, connection)
        return _read(request.full_url, answer, content)

    def _take(self, place: Place) -> HTTPConnection | None:
        """Return one that is open; close those that were idle for too long."""
        with self._lock:
            kept, since = self._kept.get(place, deque()), time.monotonic() - self._kept_for_s
            gone = [kept.popleft()[1] for _ in range(sum(at < since for at, _ in kept))]
        _close(gone)
        while True:
            with self._lock:
                newest = kept.pop()[1] if kept else None
            if newest is None or not _has_news(newest):
                return newest
            newest.close()

    def _keep(self, place: Place, connection: HTTPConnection) -> None:
        with self._lock:
            self._kept.setdefault(place, deque()).append((time.monotonic(), connection))


def _connection(place: Place, timeout_s: float) -> HTTPConnection:
    scheme, host, tls = place
    if scheme == "https":
        return HTTPSConnection(host, timeout=timeout_s, context=tls)
    if scheme == "http":
        return HTTPConnection(host, timeout=timeout_s)
    raise SlackRequestError(f"Not an address on the web: {scheme}:")


def _has_news(connection: HTTPConnection) -> bool:
    """Tell whether anything came on a connection on which nothing was asked: that it is closed, or what nobody knows."""
    if connection.sock is None:
        return True
    if isinstance(connection.sock, SSLSocket) and connection.sock.pending():
        return True
    with selectors.PollSelector() as look:  # it needs no descriptor of its own
        look.register(connection.sock, selectors.EVENT_READ)
        return bool(look.select(0))


def _exchange(connection: HTTPConnection, request: Request, timeout_s: float) -> tuple[HTTPResponse, bytes]:
    if connection.sock is not None:
        connection.sock.settimeout(timeout_s)
    content = request.data if isinstance(request.data, bytes) else b""
    headers = {name: str(value) for name, value in request.header_items()}
    try:
        connection.request("POST", request.selector, content, headers)
    except OSError as error:
        raise URLError(error) from error
    except (ValueError, OverflowError) as error:
        raise SlackRequestError(f"This cannot be asked for: {type(error).__name__}") from error
    answer = connection.getresponse()
    return answer, answer.read()


def _read(url: str, answer: HTTPResponse, content: bytes) -> Answer:
    if answer.status not in _SUCCESS:
        raise HTTPError(url, answer.status, answer.reason, answer.headers, BytesIO(content))
    body = content.decode(answer.headers.get_content_charset() or "utf-8")
    return Answer(status=answer.status, headers=answer.headers, body=body)


def _close_all(kept: Kept) -> None:
    while kept:
        _, connections = kept.popitem()
        _close([connection for _, connection in connections])


def _close(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()
