"""The client for Slack that all handlers share: it keeps to Slack's limits, and tells how its calls end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient, WebhookResponse

from handlers.pacing import Key, Pace
from handlers.slack_connections import SlackConnections
from handlers.slack_errors import REVOKED, SLACK_FAILURES, code_of

PATIENCE_S = 20.0
Observe = Callable[[str, str], None]
"""Told of each call: the method, and one of `OUTCOMES`."""

OUTCOMES = ("ok", "ratelimited", "refused", "no_answer")


def _nobody(_method: str, _outcome: str) -> None:
    """Is told of calls where nobody counts them."""


def at_once() -> None:
    """Go on, where nobody has to be let go first."""


@dataclass(slots=True)
class Line:
    """What all clients of a process share: connections, Slack's limits, who counts the calls, whether our token is still good.

    `give_way` lets those go first who are in a hurry: many calls may end at the same moment.
    """

    observe: Observe = _nobody
    pace: Pace = field(default_factory=Pace)
    revoked: str = ""
    give_way: Callable[[], None] = at_once
    connections: SlackConnections = field(default_factory=SlackConnections)

    def end(self, method: str, error: Exception | None) -> None:
        """Note how a call ended."""
        code = code_of(error) if error else ""
        if not code or isinstance(error, SlackApiError):
            self.revoked = code if code in REVOKED else ""
        self.observe(method, _outcome(error, code))


def _outcome(error: Exception | None, code: str) -> str:
    if error is None:
        return "ok"
    if not isinstance(error, SlackApiError):
        return "no_answer"
    return "ratelimited" if code == "ratelimited" else "refused"


class SlackClient(WebClient):
    """A `WebClient` that waits where Slack limits a method or a channel, for at most `patience_s` seconds."""

    def __init__(self, *, line: Line, patience_s: float = PATIENCE_S, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.line = line
        self.patience_s = patience_s

    def api_call(self, api_method: str, **how: object) -> SlackResponse:
        """Call a method; see `WebClient.api_call`. Raises one of `SLACK_FAILURES`."""

        def call() -> SlackResponse:
            try:
                answer = super(SlackClient, self).api_call(api_method, **how)  # type: ignore[arg-type]
            except SLACK_FAILURES as error:
                self.line.end(api_method, error)
                raise
            self.line.end(api_method, None)
            return answer

        try:
            return self.line.pace.call(_key(api_method, how), call, patience_s=self.patience_s)
        finally:
            if self.patience_s:  # where it has none, somebody waits for the answer
                self.line.give_way()

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        """Send what the SDK has made, on a connection that stays open: the SDK itself would open one for each call."""
        if not self.line.connections.go_through(self.proxy):
            return super()._perform_urllib_http_request_internal(url, req)
        answer = self.line.connections.send(req, timeout_s=self.timeout, tls=self.ssl)
        return {"status": answer.status, "headers": answer.headers, "body": answer.body}


class SlackHook(WebhookClient):
    """A `WebhookClient` for a `response_url`, on the same connections as everything else."""

    def __init__(self, url: str, *, line: Line, **options: object) -> None:
        super().__init__(url, **options)  # type: ignore[arg-type]
        self.line = line

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        if not self.line.connections.go_through(self.proxy):
            return super()._perform_http_request_internal(url, req)  # type: ignore[no-any-return]
        answer = self.line.connections.send(req, timeout_s=self.timeout, tls=self.ssl)
        return WebhookResponse(
            url=url,
            status_code=answer.status,
            body=answer.body,
            headers=dict(answer.headers.items()),
        )


def _key(method: str, how: Mapping[str, object]) -> Key:
    for part in ("params", "json", "data"):
        said = how.get(part)
        if isinstance(said, Mapping) and (channel := said.get("channel") or said.get("channel_id")):
            return method, str(channel)
    return method, ""
