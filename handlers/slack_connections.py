"""Connections to Slack that stay open from call to call: whoever has clicked waits for no handshake.

The SDK opens one for each call. What goes wrong is raised as the SDK's own way would (`urllib.request`), since its retry handlers
and `handlers.slack_errors` know those errors.
"""

import threading
import weakref
from http.client import HTTPMessage, RemoteDisconnected
from io import BytesIO
from ssl import SSLContext
from typing import Final, TypedDict
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request

import httpcore

KEPT_FOR_S: Final = 30.0  # less than balancers and firewalls keep them: one that is dropped without a word costs a call its time-out
_SUCCESS: Final = range(200, 300)
_NOT_SENT: Final = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.WriteError,
    httpcore.WriteTimeout,
    httpcore.ProxyError,
    httpcore.LocalProtocolError,
    httpcore.UnsupportedProtocol,
)
_NO_ANSWER: Final = (httpcore.ReadError, httpcore.ReadTimeout, httpcore.RemoteProtocolError)


class Answer(TypedDict):
    """What a `WebClient` reads an answer from."""

    status: int
    headers: HTTPMessage
    body: str


class SlackConnections:
    """The open connections of a process, for all of its threads. They close with it, or when nobody holds this any more.

    Args:
        kept_for_s: seconds that a connection stays open without a call.
    """

    def __init__(self, *, kept_for_s: float = KEPT_FOR_S) -> None:
        self._kept_for_s = kept_for_s
        self._pools: dict[tuple[SSLContext | None, str | None], httpcore.ConnectionPool] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._pools)

    def send(
        self, request: Request, *, timeout_s: float, tls: SSLContext | None, proxy: str | None
    ) -> Answer:
        """Send a request, and return its answer. A redirect is followed nowhere.

        Args:
            request: as the SDK has made it, with the bot's token.
            timeout_s: seconds to wait for a connection, and then for each part of the answer.
            tls: what certificates are held to; None for the system's own.
            proxy: the address of a proxy, with a name and a password where it asks for them.

        Raises:
            HTTPError: the answer's status is not one of success.
            URLError: it could not be sent; `reason` says why.
            OSError, HTTPException: it may have been sent, and no whole answer came.
        """
        content = request.data if isinstance(request.data, bytes) else b""
        try:
            answer = self._pool(tls, proxy).request(
                "POST",
                request.full_url,
                headers=[
                    (name.encode("ascii"), str(value).encode("latin-1"))
                    for name, value in request.header_items()
                ],
                content=content,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)},
            )
        except _NOT_SENT as error:
            raise URLError(_met(error) or str(error)) from error
        except _NO_ANSWER as error:
            raise _as_urllib_has_it(error) from error
        return _read(request.full_url, answer)

    def _pool(self, tls: SSLContext | None, proxy: str | None) -> httpcore.ConnectionPool:
        with self._lock:
            if (tls, proxy) not in self._pools:
                self._pools[tls, proxy] = self._open_pool(tls, proxy)
            return self._pools[tls, proxy]

    def _open_pool(self, tls: SSLContext | None, proxy: str | None) -> httpcore.ConnectionPool:
        if proxy is None:
            return httpcore.ConnectionPool(
                ssl_context=tls,
                max_connections=None,
                keepalive_expiry=self._kept_for_s,
            )
        parts = urlsplit(proxy)
        return httpcore.HTTPProxy(
            parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
            proxy_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
            ssl_context=tls,
            max_connections=None,
            keepalive_expiry=self._kept_for_s,
        )


def _close(pools: dict[tuple[SSLContext | None, str | None], httpcore.ConnectionPool]) -> None:
    for pool in pools.values():
        pool.close()


def _met(error: Exception) -> OSError | None:
    """Return what the system said, which the pool hands on as the error's argument."""
    first = next(iter(error.args), None)
    return first if isinstance(first, OSError) else None


def _as_urllib_has_it(error: Exception) -> OSError:
    if isinstance(error, httpcore.RemoteProtocolError):
        return RemoteDisconnected(str(error))
    return _met(error) or TimeoutError(str(error))


def _read(url: str, answer: httpcore.Response) -> Answer:
    headers = HTTPMessage()
    for name, value in answer.headers:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    if answer.status not in _SUCCESS:
        raise HTTPError(url, answer.status, "no success", headers, BytesIO(answer.content))
    body = answer.content.decode(headers.get_content_charset() or "utf-8")
    return Answer(status=answer.status, headers=headers, body=body)
