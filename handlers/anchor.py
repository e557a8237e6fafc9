"""The trail's head in a channel: many people's copy of it cannot be taken back."""

from slack_sdk import WebClient

from audit.anchors import Anchor
from handlers.blocks.parts import Message, context
from handlers.clients import make_careful


def build_anchor(anchor: Anchor) -> Message:
    """Return the message: the anchor as `countersign trail verify --anchor` takes it."""
    text = f"Trail head noted: `{anchor}`"
    hint = f"{text}  ·  later: `countersign trail verify --anchor {anchor.seq}:…`"
    return Message(text, (context(hint),))


def post_anchor(client: WebClient, channel: str, anchor: Anchor) -> None:
    """Post it. Raises one of `SLACK_FAILURES` when Slack refuses or does not answer."""
    make_careful(client).chat_postMessage(
        channel=channel,
        unfurl_links=False,
        unfurl_media=False,
        **build_anchor(anchor).to_dict(),  # type: ignore[arg-type]
    )
