"""The client that everything of ours speaks to Slack with."""

import ssl

from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    ServerErrorRetryHandler,
)

from bot.settings import Settings
from handlers.slack_client import Line, SlackClient

SLACK_TIMEOUT_S = 15
RETRIES = 3


def make_client(settings: Settings, line: Line | None = None) -> SlackClient:
    """Return a client for Slack that waits where Slack limits it, and tries again where a connection or a server failed."""
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    return SlackClient(
        line=line or Line(),
        token=token,
        base_url=settings.slack_api_url,
        timeout=SLACK_TIMEOUT_S,
        ssl=ssl.create_default_context(),  # else the SDK makes one for each call, which takes 35 ms of a processor
        retry_handlers=[
            ConnectionErrorRetryHandler(max_retry_count=RETRIES),
            ServerErrorRetryHandler(max_retry_count=RETRIES),
        ],
    )
