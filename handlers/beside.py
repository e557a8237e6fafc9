"""Files beside a message that could not say everything: a plan that is too long for its card, an answer that Slack refused.

The message stands without it, so a file that Slack does not take is logged and tried no more than its message is.
"""

import hashlib
import io

import structlog
from slack_sdk import WebClient

from audit.errors import CountersignError
from exporters.ports import ExportedFile
from handlers.delivery import SlackDelivery
from handlers.posting import Poster
from handlers.slack_errors import SLACK_FAILURES, code_of

log = structlog.get_logger()


def text_file(name: str, text: str) -> ExportedFile:
    """Return a text as a file."""
    content = text.encode("utf-8", "replace")
    return ExportedFile(
        name=name,
        media_type="text/plain; charset=utf-8",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=io.BytesIO(content),
    )


def share_once(client: WebClient, channel: str, file: ExportedFile, *, thread: str, comment: str) -> None:
    """Share a file in a message's thread, unless one of this name is there."""
    try:
        if file.name not in Poster(client, channel).files_in(thread):
            SlackDelivery(client, channel, comment=comment, thread=thread).deliver(file)
    except (CountersignError, *SLACK_FAILURES) as error:
        log.warning("file not shared", file=file.name, error=_word(error))


def hand_over(client: WebClient, person: str, file: ExportedFile, *, comment: str) -> None:
    """Share a file in our own conversation with a person, and nowhere else."""
    try:
        opened = client.conversations_open(users=person)
        SlackDelivery(client, str(opened["channel"]["id"]), comment=comment).deliver(file)
    except (CountersignError, *SLACK_FAILURES) as error:
        log.warning("file not handed over", file=file.name, error=_word(error))


def _word(error: Exception) -> str:
    return str(error) if isinstance(error, CountersignError) else code_of(error)
