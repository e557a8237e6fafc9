"""What Slack has not signed is refused before anybody takes it apart, for all others would wait for that."""

import asyncio
import time
from collections.abc import Mapping
from typing import cast

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from bot.metrics import MeteredApp, Metrics
from bot.report_page import ReportPage
from bot.web import make_web

SECRET = "a signing secret"
UNREADABLE = "{" * 5000  # 400 for whoever reads it


class NoPage:
    """Reports are not asked for here."""

    async def answer(self, _request: Request) -> Response:
        return Response(status_code=404)


@pytest.fixture
def web() -> Starlette:
    app = MeteredApp(metrics=Metrics(), signing_secret=SECRET)
    return make_web(app, probe=dict, page=cast("ReportPage", NoPage()))


def signed(body: str, *, secret: str = SECRET, at: float | None = None) -> Mapping[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": str(signature)}


def status(web: Starlette, body: str, headers: Mapping[str, str] | Mapping[bytes, bytes]) -> int:
    async def post() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://bot") as client:
            sent = httpx.Headers(headers)
            sent.setdefault("content-type", "application/json")
            return (await client.post("/slack/events", content=body, headers=sent)).status_code

    return asyncio.run(post())


def test_a_body_is_read_only_where_slack_has_signed_it(web: Starlette) -> None:
    assert status(web, UNREADABLE, {}) == 401
    assert status(web, UNREADABLE, signed(UNREADABLE, secret="another")) == 401
    assert status(web, UNREADABLE, signed(UNREADABLE + " ")) == 401
    assert status(web, UNREADABLE, signed(UNREADABLE, at=time.time() - 6 * 60)) == 401
    assert status(web, UNREADABLE, signed(UNREADABLE)) == 400


def test_slacks_look_at_our_certificate_is_short_and_comes_unsigned(web: Starlette) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert status(web, "ssl_check=1&token=x", form) == 200
    assert status(web, f"ssl_check=1&token={'x' * 5000}", form) == 401
    assert status(web, "command=%2Freport&text=ssl_check=1", form) == 401
    assert status(web, "ssl_check=1&ssl_check=1&command=%2Freport", form) == 401


@pytest.mark.parametrize("stamp", ["now", "", "1e9", "٣"])
@pytest.mark.parametrize("signature", [b"v0=", b"", "v0=é".encode("latin-1")])
@pytest.mark.parametrize("body", [UNREADABLE, "command=%2Freport&text=list"], ids=["unreadable", "command"])
def test_a_signature_that_is_none_is_refused_without_a_word_in_the_log(
    web: Starlette, caplog: pytest.LogCaptureFixture, stamp: str, signature: bytes, body: str
) -> None:
    form = {b"content-type": b"application/x-www-form-urlencoded"}
    headers = {**form, b"x-slack-request-timestamp": stamp.encode(), b"x-slack-signature": signature}
    assert status(web, body, headers) == 401
    assert not [record for record in caplog.records if record.exc_info]
