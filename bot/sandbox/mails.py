"""A mail as it arrived, taken apart for looking at. Whatever a sender wrote, it becomes text that can be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default as modern
from email.utils import getaddresses
from re import compile as pattern
from typing import Self

from exporters.text import encodable, one_line

_MEDIA_TYPE = pattern(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that arrived at `at`; `size` is its bytes on the wire.

    `sender` and `recipients` are the envelope's: who really sent it, who really got it. `author`, `to` and `cc` are
    what the mail says of itself. A body that it does not have is empty.
    """

    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    author: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    html: str
    text: str
    attachments: tuple[MailAttachment, ...]
    size: int

    @property
    def bcc(self) -> tuple[str, ...]:
        """Who got it without being named in it."""
        named = {address.casefold() for address in (*self.to, *self.cc)}
        return tuple(each for each in self.recipients if each.casefold() not in named)

    @classmethod
    def parse(
        cls, content: bytes, *, ident: str, sender: str, recipients: Sequence[str], now: datetime
    ) -> Self:
        """Take apart what a mail client sent (RFC 5322 with MIME) under this envelope."""
        message = message_from_bytes(content, policy=modern)
        return cls(
            id=ident,
            at=now,
            sender=one_line(sender),
            recipients=tuple(one_line(each) for each in recipients),
            author=_header(message, "From") or one_line(sender),
            to=_addresses(message, "To"),
            cc=_addresses(message, "Cc"),
            subject=_header(message, "Subject"),
            html=_body(message, "html"),
            text=_body(message, "plain"),
            attachments=tuple(_attachment(part) for part in message.iter_attachments()),
            size=len(content),
        )


def _header(message: EmailMessage, name: str) -> str:
    return one_line(str(message.get(name, "")))


def _addresses(message: EmailMessage, name: str) -> tuple[str, ...]:
    found = getaddresses([str(value) for value in message.get_all(name, [])])
    return tuple(one_line(address) for _, address in found if address)


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    if part is None:
        return ""
    raw = _bytes_of(part)
    try:
        text = raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # a character set nobody knows, or one that is none
        text = raw.decode("utf-8", "replace")
    return encodable(text)


def _attachment(part: "Message[str, str]") -> MailAttachment:
    media_type = part.get_content_type()
    return MailAttachment(
        name=one_line(part.get_filename() or "attachment"),
        media_type=media_type if _MEDIA_TYPE.fullmatch(media_type) else _UNKNOWN_TYPE,
        content=_bytes_of(part),
    )


def _bytes_of(part: "Message[str, str]") -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()  # an attached mail has parts, not bytes
