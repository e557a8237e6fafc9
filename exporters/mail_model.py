"""A mail as its writer thinks of it, before it becomes bytes."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Self

from audit.errors import InputError
from exporters.text import clip, one_line

DEFAULT_MAX_BYTES = 10_000_000
DEFAULT_MAX_RECIPIENTS = 50
DEFAULT_MAX_ATTEMPTS = 4
OCTETS = "application/octet-stream"
MEDIA_TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".html": "text/html",
    ".htm": "text/html",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sarif": "application/sarif+json",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
_MEDIA_TYPE = re.compile(r"(?!(?:multipart|message)/)[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,80}")
_LONGEST_NAME = 200
_MEGABYTE = 1_000_000
_DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})

AttachmentLike = str | PathLike[str] | tuple[str, bytes, str]


def require_plain(text: str, *, role: str, most: int) -> str:
    """Return a text that may stand in a header: one line, nothing that could end it or turn it round.

    Raises:
        InputError: it holds a control or direction character or a lone surrogate, or is too long; names `role`.
    """
    if bad := next((letter for letter in text if _is_unfit(letter)), None):
        raise InputError(
            f"{role}: holds the character U+{ord(bad):04X}, which no mail header may hold. Nothing was sent."
        )
    if len(text) > most:
        raise InputError(f"{role}: has {len(text):,} characters, at most {most} are allowed")
    return text


def _is_unfit(letter: str) -> bool:
    return letter in _DIRECTION_CONTROLS or unicodedata.category(letter) in _REFUSED_CATEGORIES


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with the mail: its name without any folder, its bytes, its media type.

    Raises:
        InputError: the name or the media type cannot be used.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str = OCTETS

    def __post_init__(self) -> None:
        require_plain(self.name, role="attachment name", most=_LONGEST_NAME)
        if not self.name.strip(". ") or "/" in self.name or "\\" in self.name:
            raise InputError(f"attachment name: “{clip(self.name, 80)}” must be a file name without a folder")
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise InputError(
                f"attachment {self.name}: “{clip(one_line(self.media_type), 80)}” is no media type"
            )

    @classmethod
    def from_path(cls, path: str | PathLike[str], *, media_type: str = "", most: int) -> Self:
        """Read a file. A suffix we know decides the media type, then `media_type`.

        Raises:
            InputError: it cannot be read, is no regular file, or alone is larger than `most` bytes.
        """
        source = Path(path)
        try:
            if not source.is_file():
                raise InputError(f"attachment: {source} is not a file")
            require_size(source.stat().st_size, what=f"attachment {source.name}", most=most)
            content = source.read_bytes()
        except (OSError, ValueError) as error:
            raise InputError(f"attachment: {one_line(str(source))} cannot be read ({_why(error)})") from None
        return cls(source.name, content, MEDIA_TYPES.get(source.suffix.lower(), media_type or OCTETS))

    @classmethod
    def of(cls, entry: AttachmentLike | Self, *, most: int) -> Self:
        """Take what the specification takes: a path, or a name with bytes and a media type.

        Raises:
            InputError: it is neither, or see `from_path`.
        """
        if isinstance(entry, cls):
            return entry
        if isinstance(entry, (str, PathLike)):
            return cls.from_path(entry, most=most)
        match entry:
            case (str(name), bytes(content), str(media_type)):
                return cls(name, content, media_type)
        raise InputError("an attachment is a path, or a name with its bytes and media type")


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "not the name of a file"


def require_size(size: int, *, what: str, most: int) -> None:
    """Check a number of bytes against the limit.

    Raises:
        InputError: names both.
    """
    if size > most:
        raise InputError(
            f"{what} has {in_words(size)}; a mail may have {in_words(most)} as sent. Nothing was sent: "
            "send a smaller format or a link instead."
        )


def in_words(size: int) -> str:
    """Return `12.4 MB`, or `7 kB` below a megabyte."""
    return f"{size / 1e6:,.1f} MB" if size >= _MEGABYTE else f"{size / 1e3:,.0f} kB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What is to be sent to whom. `bcc` gets the mail and stands in no header.

    `text` is the plain-text part; made from the HTML where it is empty. `headers` are further ones (`Importance`).
    `key` names the occasion (a schedule's fire): the same key gives the same Message-ID, so that a mail repeated after a crash
    can be told from a new one.
    """

    to: str | Iterable[str]
    subject: str
    html: str = field(repr=False)
    text: str = field(default="", repr=False)
    attachments: Iterable[AttachmentLike | Attachment] = field(default=(), repr=False)
    cc: str | Iterable[str] | None = None
    bcc: str | Iterable[str] | None = field(default=None, repr=False)
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
