"""Who may load the demo page: this machine's browser, with the token printed at the start.

The page acts for three people without a password, so it must not be reachable through another
website (DNS rebinding, cross-site requests) nor by another user's guess.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILE_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; font-src data:; frame-ancestors 'none'"
)
# A mail is shown inside the page, so it may do less than a file in a window of its own: neither run nor load anything.
# A link of a mail may open a tab of its own, as in any mail program; nothing else may happen.
MAIL_POLICY = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
# A browser shows a PDF with a viewer of its own, which a sandbox would keep from starting.
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """Wraps endpoints in the checks; `bot_token` may fetch files as Slack's `url_private` allows."""

    base_url: str
    bot_token: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def protect(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint behind the Host, Origin and token checks, with strict headers on its answers."""

        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request)
            response = refusal or await endpoint(request)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded

    def welcome(self, request: Request) -> Response | None:
        """Trade a token in the URL for the cookie and a URL without it; None when there is none."""
        if "token" not in request.query_params:
            return None
        response = RedirectResponse("/", 303)
        response.set_cookie(self._cookie, self.token, httponly=True, samesite="strict", path="/")
        return response

    @property
    def _port(self) -> str:
        return self.base_url.rpartition(":")[2]

    @property
    def _cookie(self) -> str:
        return f"standin-{self._port}"  # cookies ignore ports, so two demos must not share a name

    def _refusal(self, request: Request) -> Response | None:
        hosts = {f"127.0.0.1:{self._port}", f"localhost:{self._port}"}
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in hosts:
            return PlainTextResponse("Unknown host", 421)
        if origin is not None and origin != f"http://{host}":
            return PlainTextResponse("Foreign origin", 403)
        if request.method == "POST" and not _is_json(request):
            return PlainTextResponse("JSON only", 415)
        if not self._is_known(request):
            return PlainTextResponse("Open the address that was printed when the demo started.", 403)
        return None

    def _is_known(self, request: Request) -> bool:
        offered = [request.cookies.get(self._cookie, ""), request.query_params.get("token", "")]
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        may_fetch = request.url.path.startswith("/files/") and _same(bearer, self.bot_token)
        return may_fetch or any(_same(each, self.token) for each in offered)


def _same(offered: str, secret: str) -> bool:
    return secrets.compare_digest(offered.encode(), secret.encode())


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")
