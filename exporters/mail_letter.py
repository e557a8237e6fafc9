"""From a mail to the bytes that are sent: every check first, then the headers, the two bodies, the attachments.

Bytes are 7-bit throughout (quoted-printable and base64), so that no relay on the way has a reason to change them.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from types import MappingProxyType

from audit.errors import ConfigError, InputError
from exporters.mail_addresses import (
    require_allowed,
    to_address,
    to_addresses,
    without_repeats,
)
from exporters.mail_model import (
    DEFAULT_MAX_BYTES,
    DEFAULT_MAX_RECIPIENTS,
    Attachment,
    Mail,
    require_plain,
    require_size,
)
from exporters.mail_text import html_to_text
from exporters.templating import inline_styles
from exporters.text import encodable, showable

_POLICY = SMTP.clone(cte_type="7bit")
_LONGEST_SUBJECT = 500
_LONGEST_HEADER = 500
# RFC 3834 §5 keeps autoresponders quiet; Exchange listens to its own header instead.
_AUTOMATIC = MappingProxyType({"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"})
_BASE64_LINE = 76


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from: a bare address, and a name to show beside it.

    Raises:
        ConfigError: the address or the name cannot be used.
    """

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "address", to_address(self.address, role="SENDER_EMAIL"))
            require_plain(self.name, role="sender name", most=_LONGEST_HEADER)
        except InputError as error:
            raise ConfigError(str(error)) from None

    @property
    def domain(self) -> str:
        """Return what stands behind the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRules:
    """What may leave: to which domains (None: to all), to how many at once, how large (bytes as sent)."""

    allowed_domains: frozenset[str] | None = None
    max_recipients: int = DEFAULT_MAX_RECIPIENTS
    max_bytes: int = DEFAULT_MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail ready to be handed to a server. `recipients` is the envelope, with bcc; `content` has CRLF line ends."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes


def write_letter(mail: Mail, *, sender: Sender, rules: MailRules, now: datetime) -> Letter:
    """Check a mail and write it.

    Raises:
        InputError: something in it cannot be sent; names what.
        RefusedError: a recipient's domain is not allowed.
    """
    to, cc, bcc = _recipients(mail, rules)
    message_id = f"<{_local_id(mail.key)}@{sender.domain}>"
    message = EmailMessage(policy=_POLICY)
    _write_headers(message, mail, {"To": to, "Cc": cc})
    message["From"] = Address(display_name=sender.name, addr_spec=sender.address)
    message["Date"] = now
    message["Message-ID"] = message_id
    _write_bodies(message, mail)
    _attach(message, mail, rules)
    content = message.as_bytes()
    require_size(len(content), what="the mail", most=rules.max_bytes)
    return Letter(
        message_id=message_id,
        sender=sender.address,
        recipients=without_repeats((*to, *cc, *bcc)),
        content=content,
    )


def _recipients(mail: Mail, rules: MailRules) -> tuple[tuple[str, ...], ...]:
    groups = (
        to_addresses(mail.to, role="recipient"),
        to_addresses(mail.cc, role="cc"),
        to_addresses(mail.bcc, role="bcc"),
    )
    if not groups[0]:
        raise InputError("recipient: at least one is needed")
    everyone = without_repeats(address for group in groups for address in group)
    if len(everyone) > rules.max_recipients:
        raise InputError(
            f"recipient: {len(everyone)} are too many for one mail, at most {rules.max_recipients} are allowed"
        )
    require_allowed(everyone, rules.allowed_domains)
    return groups


def _write_headers(message: EmailMessage, mail: Mail, groups: Mapping[str, tuple[str, ...]]) -> None:
    if not mail.subject.strip():
        raise InputError("subject: is empty")
    message["Subject"] = require_plain(mail.subject, role="subject", most=_LONGEST_SUBJECT)
    for name, addresses in groups.items():
        if addresses:
            message[name] = [Address(addr_spec=address) for address in addresses]
    if mail.reply_to:
        message["Reply-To"] = Address(addr_spec=to_address(mail.reply_to, role="reply_to"))
    for name, value in {**_AUTOMATIC, **mail.headers}.items():
        message[_header_name(name)] = require_plain(value, role=name, most=_LONGEST_HEADER)


def _header_name(name: str) -> str:
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise InputError(f"“{showable(name)}” is not the name of a header")
    return name


def _local_id(key: str) -> str:
    return hashlib.sha256(encodable(key).encode()).hexdigest()[:32] if key else secrets.token_hex(16)


def _write_bodies(message: EmailMessage, mail: Mail) -> None:
    html = encodable(mail.html)
    if not html.strip():
        raise InputError("html_content: is empty")
    page = _with_inline_styles(html)
    # The text is made from the finished page: a style sheet decides what is hidden and where a line ends.
    message.set_content(showable(mail.text) if mail.text else html_to_text(page))
    message.add_alternative(page, subtype="html")


def _with_inline_styles(html: str) -> str:
    from css_inline import InlineError

    try:
        return inline_styles(html)
    except InlineError as error:
        raise InputError(f"html_content: its styles cannot be read ({error})") from None


def _attach(message: EmailMessage, mail: Mail, rules: MailRules) -> None:
    room = rules.max_bytes
    for entry in mail.attachments:
        attachment = Attachment.of(entry, most=room)
        room -= _encoded_size(attachment)
        require_size(rules.max_bytes - room, what="the mail", most=rules.max_bytes)
        main_type, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content,
            maintype=main_type,
            subtype=subtype,
            filename=attachment.name,
            params=_charset(attachment),
        )


def _encoded_size(attachment: Attachment) -> int:
    """Return the bytes it has as base64, in lines of 76 with CRLF."""
    characters = (len(attachment.content) + 2) // 3 * 4
    return characters + 2 * (-(-characters // _BASE64_LINE))


def _charset(attachment: Attachment) -> dict[str, str]:
    """Say that a text is UTF-8 where it is, since readers assume ASCII otherwise (RFC 2046 §4.1.2)."""
    if not attachment.media_type.startswith("text/"):
        return {}
    try:
        attachment.content.decode()
    except UnicodeDecodeError:
        return {}
    return {"charset": "utf-8"}
