"""Clients for Slack that wait and retry differently from the one we were given."""

from slack_sdk import WebClient
from slack_sdk.http_retry import RetryHandler
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from handlers.slack_client import SlackClient

_BRIEFLY_S = 2.0


def make_impatient(client: WebClient, *, timeout_s: int) -> WebClient:
    """Return a client that asks once and gives up soon: a person waits, and no answer is an answer too."""
    return _copy(client, timeout_s=timeout_s, retry_handlers=[], patience_s=0)


def make_brief(client: WebClient) -> WebClient:
    """Return a client that does not wait where Slack limits us: for work that is begun again by itself, later."""
    return _copy(
        client, timeout_s=client.timeout, retry_handlers=client.retry_handlers, patience_s=_BRIEFLY_S
    )


def make_careful(client: WebClient) -> WebClient:
    """Return a client that repeats only what Slack said it did not do.

    A call whose connection broke may have been carried out; repeated blindly, it posts the same thing twice.
    """
    harmless: list[RetryHandler] = [
        handler for handler in client.retry_handlers if isinstance(handler, RateLimitErrorRetryHandler)
    ]
    return _copy(client, timeout_s=client.timeout, retry_handlers=harmless)


def _copy(
    client: WebClient, *, timeout_s: int, retry_handlers: list[RetryHandler], patience_s: float | None = None
) -> WebClient:
    options = {
        "token": client.token,
        "base_url": client.base_url,
        "timeout": timeout_s,
        "ssl": client.ssl,
        "proxy": client.proxy,
        "retry_handlers": retry_handlers,
    }
    if not isinstance(client, SlackClient):
        return WebClient(**options)  # type: ignore[arg-type]
    patience_s = client.patience_s if patience_s is None else patience_s
    return SlackClient(line=client.line, patience_s=patience_s, **options)
