"""A file out of Slack, fetched with the bot's token: the token goes to Slack's file hosts, and to no other place.

What a message says of its files comes from whoever sent it, so name, size and address are asked of Slack anew
(docs.slack.dev/reference/objects/file-object).
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast
from urllib.parse import SplitResult, urlsplit

from slack_sdk import WebClient

from audit.errors import InputError
from audit.ingest.naming import printable
from handlers.slack_errors import SLACK_FAILURES, advise, code_of

FILE_HOSTS: Final = frozenset({"files.slack.com", "files.slack-gov.com"})
MOST_BYTES: Final = 256 * 2**20
_TIMEOUT_S: Final = 30
_BLOCK_BYTES: Final = 2**18
_IN_MEMORY_BYTES: Final = 8 * 2**20
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_ADVICE: Final = {
    "file_not_found": "the file is gone, or I cannot see it",
    "file_deleted": "the file is gone",
}


@dataclass(frozen=True, slots=True)
class SlackFile:
    """What Slack says of a file. `url` needs the bot's token."""

    name: str
    size: int
    url: str


def find_file(client: WebClient, file_id: str, *, most_bytes: int = MOST_BYTES) -> SlackFile:
    """Ask Slack about a file.

    Raises:
        InputError: it is gone, larger than is taken, kept elsewhere, or Slack does not answer.
    """
    try:
        found = client.files_info(file=file_id).get("file")
    except SLACK_FAILURES as error:
        code = code_of(error)
        raise InputError(f"The file could not be read: {_ADVICE.get(code) or advise(code)}") from error
    about: Mapping[str, object] = found if isinstance(found, Mapping) else {}
    name, size = printable(str(about.get("name") or file_id)), about.get("size")
    if about.get("is_external") or about.get("mode") in {"external", "tombstone", "hidden_by_limit"}:
        raise InputError(f"{name}: is not kept in Slack; download it, then drop it here as a file")
    if not isinstance(size, int) or isinstance(size, bool):
        raise InputError(f"{name}: Slack does not say how large it is")
    if size > most_bytes:
        raise InputError(f"{name}: has {size:,} bytes, and {most_bytes:,} are taken")
    url = about.get("url_private_download") or about.get("url_private")
    return SlackFile(name, size, str(url or ""))


@contextmanager
def fetched(client: WebClient, file: SlackFile, *, most_bytes: int = MOST_BYTES) -> Iterator[BinaryIO]:
    """Fetch a file, and give it as a stream.

    Raises:
        InputError: its address is not Slack's, it is not handed out, or it is not as large as Slack said.
    """
    require_file_host(file, api_url=client.base_url)
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as kept:
        try:
            size = _download(file, str(client.token or ""), cast("BinaryIO", kept), most_bytes=most_bytes)
        except SLACK_FAILURES as error:
            raise InputError(
                f"{file.name}: Slack did not hand it out ({code_of(error)}). Try again"
            ) from error
        if size != file.size:
            raise InputError(f"{file.name}: {size:,} bytes came, and Slack had said {file.size:,}")
        kept.seek(0)
        yield cast("BinaryIO", kept)


def require_file_host(file: SlackFile, *, api_url: str) -> None:
    """Let an address pass that is on one of Slack's file hosts; or beside the API, where that is on this very machine.

    Raises:
        InputError: the token must not go there.
    """
    parts, api = urlsplit(file.url), urlsplit(api_url)
    if _is_this_machine(api) and (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return
    # The whole of it, so that neither a user name nor a port can stand beside the host.
    if parts.scheme != "https" or parts.netloc not in FILE_HOSTS:
        raise InputError(f"{file.name}: its address is not one of Slack's file hosts, so it is not fetched")


def _is_this_machine(parts: SplitResult) -> bool:
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _download(file: SlackFile, token: str, out: BinaryIO, *, most_bytes: int) -> int:
    """Write the content, and return how much it was. A redirect is followed nowhere."""
    parts = urlsplit(file.url)
    with closing(_connect(parts)) as connection:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        _require_content(answer, file)
        return _copy(answer, out, file, most_bytes=most_bytes)


def _require_content(answer: HTTPResponse, file: SlackFile) -> None:
    if answer.status in _REDIRECTS:
        # Slack leads whoever may not read a file to a page for signing in.
        raise InputError(
            f"{file.name}: Slack leads elsewhere instead of handing it out. My app may lack files:read: whoever runs me has to "
            "reinstall it from manifest.yml"
        )
    if answer.status != _OK:
        raise InputError(f"{file.name}: Slack did not hand it out (HTTP {answer.status})")


def _copy(answer: HTTPResponse, out: BinaryIO, file: SlackFile, *, most_bytes: int) -> int:
    size = 0
    while block := answer.read(_BLOCK_BYTES):
        size += len(block)
        if size > min(file.size, most_bytes):
            raise InputError(f"{file.name}: is larger than the {file.size:,} bytes that Slack said")
        out.write(block)
    return size


def _connect(parts: SplitResult) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.netloc, timeout=_TIMEOUT_S)
