"""Clients for Slack that wait and retry differently from the one we were given."""

from slack_sdk import WebClient
from slack_sdk.http_retry import RetryHandler
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler


def make_impatient(client: WebClient, *, timeout_s: int) -> WebClient:
    """Return a client that asks once and gives up soon: a person waits, and no answer is an answer too."""
    return _copy(client, timeout_s=timeout_s, retry_handlers=[])


def make_careful(client: WebClient) -> WebClient:
    """Return a client that repeats only what Slack said it did not do.

    A call whose connection broke may have been carried out; repeated blindly, it posts the same thing twice.
    """
    harmless: list[RetryHandler] = [
        handler for handler in client.retry_handlers if isinstance(handler, RateLimitErrorRetryHandler)
    ]
    return _copy(client, timeout_s=client.timeout, retry_handlers=harmless)


def _copy(client: WebClient, *, timeout_s: int, retry_handlers: list[RetryHandler]) -> WebClient:
    return WebClient(
        token=client.token,
        base_url=client.base_url,
        timeout=timeout_s,
        ssl=client.ssl,
        proxy=client.proxy,
        retry_handlers=retry_handlers,
    )
