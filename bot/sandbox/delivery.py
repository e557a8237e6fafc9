"""How a payload reaches the bot: signed HTTP here, Socket Mode in `socketmode.py`; both answer an `Ack`.

The bot must acknowledge within `ack_timeout_s` (Slack: 3 s). A late or missing acknowledgement is
`operation_timeout`; a refused connection or a status other than 2xx is `dispatch_failed`.
"""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias
from urllib.parse import urlencode, urlsplit

from slack_sdk.signature import SignatureVerifier

from bot.sandbox.shapes import Json

Kind: TypeAlias = Literal["slash_commands", "interactive", "events_api"]
_GOOD = range(200, 300)


@dataclass(frozen=True)
class Ack:
    """How the bot answered a delivery.

    `status` is the HTTP status, 200 for a Socket Mode acknowledgement, None without an answer;
    `body` the JSON of the acknowledgement (a plain text as `{"text": …}`), None when empty;
    `error` is Slack's word for a failure, empty when acknowledged in time.
    """

    status: int | None = None
    latency_s: float = 0.0
    body: Json | None = None
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass(frozen=True)
class Delivery:
    """One payload on its way; `retry` counts repeated attempts and `retry_reason` says why."""

    kind: Kind
    payload: Json
    retry: int = 0
    retry_reason: str = ""


class Courier(Protocol):
    """Anything that can bring a delivery to the bot and wait for its acknowledgement."""

    def deliver(self, delivery: Delivery) -> Ack:
        """Deliver and wait; never raises for what the bot or the network does wrong."""


@dataclass(frozen=True)
class HttpCourier:
    """Posts signed requests to the bot's `/slack/events`."""

    bot_url: str
    signing_secret: str
    ack_timeout_s: float

    def deliver(self, delivery: Delivery) -> Ack:
        body, headers = self.sign(delivery)
        started = time.monotonic()
        try:
            ack = self._post(body, headers)
        except TimeoutError:
            ack = Ack(error="operation_timeout")
        except (OSError, http.client.HTTPException):
            ack = Ack(error="dispatch_failed")
        return replace(ack, latency_s=time.monotonic() - started)

    def sign(self, delivery: Delivery) -> tuple[bytes, dict[str, str]]:
        """Return body and headers as Slack would send them."""
        body, content_type = _encode(delivery)
        stamp = str(int(time.time()))
        signature = SignatureVerifier(self.signing_secret).generate_signature(timestamp=stamp, body=body)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": str(signature),
            "User-Agent": "Slackbot 1.0 (stand-in)",
        }
        if delivery.retry:
            headers |= {
                "X-Slack-Retry-Num": str(delivery.retry),
                "X-Slack-Retry-Reason": delivery.retry_reason,
            }
        return body, headers

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Ack:
        target = urlsplit(self.bot_url)
        connection = http.client.HTTPConnection(target.netloc, timeout=self.ack_timeout_s)
        try:
            connection.request("POST", "/slack/events", body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status not in _GOOD:
            return Ack(response.status, error="dispatch_failed")
        return Ack(response.status, body=decode_body(content.decode()))


def _encode(delivery: Delivery) -> tuple[bytes, str]:
    """The body and content type Slack uses for this kind of payload."""
    form = "application/x-www-form-urlencoded"
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), form
    if delivery.kind == "interactive":
        return urlencode({"payload": json.dumps(delivery.payload)}).encode(), form
    return json.dumps(delivery.payload).encode(), "application/json"


def decode_body(text: str) -> Json | None:
    """An acknowledgement's body: JSON as it is, other text as `{"text": …}`, nothing as None."""
    if not text.strip():
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}
