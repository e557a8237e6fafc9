"""A finished file into a Slack conversation: announce it, send the bytes, share it.

The three steps of docs.slack.dev/messaging/working-with-files, in constant memory: `files_upload_v2` of the SDK reads the whole
file first.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

from slack_sdk import WebClient

from audit.errors import InputError, UnavailableError
from exporters.ports import ExportedFile
from handlers.clients import make_careful
from handlers.slack_errors import SLACK_FAILURES, advise, code_of, is_passing
from handlers.slack_urls import is_slack_url

_TIMEOUT_S = 60
_OK, _SERVER_ERRORS = range(200, 300), range(500, 600)


@dataclass(frozen=True, slots=True)
class SlackDelivery:
    """A `Delivery` into one conversation, or a thread of it.

    `comment` is posted with the file, `alt_text` says what a picture shows.
    """

    client: WebClient
    channel: str
    comment: str = ""
    thread: str = ""
    alt_text: str = ""

    def deliver(self, file: ExportedFile) -> None:
        """Upload the file and share it in the conversation.

        Raises:
            InputError: Slack does not take it; says what can be done.
            UnavailableError: Slack gives no answer for now.
        """
        share = {
            "channel_id": self.channel,
            "initial_comment": self.comment,
            "thread_ts": self.thread or None,
        }
        try:
            upload(self.client, file, alt_text=self.alt_text, share=share)
        except SLACK_FAILURES as error:
            kind = UnavailableError if is_passing(error) else InputError
            raise kind(f"The file could not be posted. {advise(code_of(error))}") from error


def upload(
    client: WebClient,
    file: ExportedFile,
    *,
    alt_text: str = "",
    share: Mapping[str, str | None] = MappingProxyType({}),
) -> str:
    """Upload a file, share it where `share` says, and return its id. Without it the file is ours alone.

    Raises:
        InputError: Slack named a place to upload to that is not Slack's, or did not take the bytes there.
        SlackClientError, HTTPException, OSError: see `SLACK_FAILURES`.
    """
    words = {"alt_txt": alt_text} if alt_text else {}
    place = client.files_getUploadURLExternal(filename=file.name, length=file.size, **words)
    _send(client, str(place["upload_url"]), file)
    file_id = str(place["file_id"])
    make_careful(client).files_completeUploadExternal(files=[{"id": file_id, "title": file.name}], **share)  # type: ignore[arg-type]
    return file_id


def _send(client: WebClient, url: str, file: ExportedFile) -> None:
    """Send the bytes to where Slack said, from the spool straight to the socket."""
    if not is_slack_url(url, api_url=client.base_url):
        raise InputError(
            "The file could not be posted: Slack named a place to upload to that is not Slack's."
        )
    parts = urlsplit(url)
    with closing(_connect(parts)) as connection:
        connection.request(
            "POST",
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            body=file.content,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(file.size)},
        )
        answer = connection.getresponse()
        answer.read()
    if answer.status in _SERVER_ERRORS:
        raise HTTPException(f"upload answered {answer.status}")
    if answer.status not in _OK:
        raise InputError(
            f"The file could not be posted: Slack did not take its bytes (HTTP {answer.status})."
        )


def _connect(parts: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.netloc, timeout=_TIMEOUT_S)
