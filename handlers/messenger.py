"""Messages that playbooks send into channels: posted once, as text in which nothing is a command."""

from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from audit.errors import Cause, PermanentActionError, TemporaryActionError
from handlers.blocks.texts import escape
from handlers.clients import make_careful
from handlers.slack_errors import SLACK_FAILURES, advise, code_of

_LONGEST = 3500  # once escaped; Slack cuts a text at 4,000


@dataclass(frozen=True, slots=True)
class SlackMessenger:
    """A `Messenger` in the workspace whose token the client has."""

    client: WebClient

    def post(self, channel: str, text: str) -> str:
        """Post a text once; see `Messenger.post`. A finding's own words cannot mention, link or format anything."""
        try:
            posted = make_careful(self.client).chat_postMessage(
                channel=channel, text=_harmless(text), mrkdwn=False, unfurl_links=False, unfurl_media=False
            )
            return f"{posted['channel']}/{posted['ts']}"
        except SlackApiError as error:
            raise PermanentActionError(
                f"Slack did not take the message to {channel}. {advise(code_of(error))}", cause=Cause.NOT_SENT
            ) from error
        except SLACK_FAILURES as error:
            raise TemporaryActionError(
                f"Slack gave no answer to the message to {channel} ({code_of(error)}): it may have arrived",
                cause=Cause.NOT_SENT,
            ) from error


def _harmless(text: str) -> str:
    lines = "\n".join(escape(line, _LONGEST) for line in text.splitlines())
    if len(lines) > _LONGEST:
        raise PermanentActionError("The message is longer than Slack takes", cause=Cause.NOT_SENT)
    return lines
