"""Foreign text made safe for Slack: escaped, on one line, cut to length.

Everything that came from a scanner, a cloud or a person passes through here before it stands in a block. Slack's
rules: docs.slack.dev/messaging/formatting-message-text (escape `&`, `<` and `>`, and nothing else).
"""

import re
import unicodedata
from datetime import UTC, datetime

from audit.actor import Actor
from audit.findings import Severity

ELLIPSIS = "…"
UNSEEN = "\ufffd"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LOOKALIKES = str.maketrans({"<": "\u2039", ">": "\u203a"})
_HALF_ENTITY = re.compile(r"&[a-z]*$")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_LOOK_AHEAD = 4  # foreign text may be huge; what lies this many limits away is never shown
_MARKED_PERSON = re.compile(r"(?<![\w.@])@([UW][A-Z0-9]{2,20})\b(?!@|\.\w)")
_MARKED_GROUP = re.compile(r"(?<![\w.@])@(S[A-Z0-9]{2,20})\b(?!@|\.\w)")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}")
_ORDINARY_WORD = re.compile(r"[a-z]+(?=[ ,])")
_CLOSING = (")", "”", "`")
_SEVERITY_SIGNS = {
    Severity.CRITICAL: "🔴",
    Severity.HIGH: "🟠",
    Severity.MEDIUM: "🟡",
    Severity.LOW: "🔵",
    Severity.INFO: "⚪",
}


def one_line(text: str) -> str:
    """Return the text on one line; what cannot be seen (controls, direction marks) becomes U+FFFD.

    Nothing vanishes: an approver must notice that a name holds something invisible.
    """
    spaced = " ".join(text.split())
    return "".join(UNSEEN if unicodedata.category(letter) in _HIDDEN else letter for letter in spaced)


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters; what was cut ends with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def escape(text: str, limit: int) -> str:
    """Return foreign text for a mrkdwn object: one line, escaped, at most `limit` characters once escaped."""
    escaped = _escaped(text, limit)
    if len(escaped) <= limit:
        return escaped
    return _HALF_ENTITY.sub("", escaped[: limit - 1]) + ELLIPSIS


def fits(text: str, limit: int) -> bool:
    """Tell whether a text can be shown whole in `limit` characters."""
    return len(_escaped(text, limit)) <= limit and len(text) <= _LOOK_AHEAD * limit


def _escaped(text: str, limit: int) -> str:
    return one_line(text[: _LOOK_AHEAD * limit]).translate(_ESCAPES)


def plain(text: str, limit: int) -> str:
    """Return foreign text for a plain_text object, which knows no escapes: angle brackets become look-alikes."""
    return shorten(one_line(text[: _LOOK_AHEAD * limit]).translate(_LOOKALIKES), limit)


def code(text: str, limit: int) -> str:
    """Return foreign text as inline code of at most `limit` characters, without a backtick to break out."""
    return f"`{escape(_without_backticks(text), limit - 2) or ' '}`"


def code_block(lines: list[str]) -> str:
    """Return escaped lines as a code block; their backticks are gone already."""
    return "```" + "\n".join(lines) + "```"


def in_code(text: str, limit: int) -> str:
    """Return foreign text as it may stand inside a code block."""
    return escape(_without_backticks(text), limit)


def to_sentence(text: str) -> str:
    """Return a fragment as a sentence: capital letter first, full stop last.

    A first word that is a name, such as `r-1a2b`, `scan.json:` or `block_public_access`, stays as it is.
    """
    begun = text[:1].upper() + text[1:] if _ORDINARY_WORD.match(text) else text
    return f"{begun}." if begun[-1:].isalnum() or begun.endswith(_CLOSING) else begun


def _without_backticks(text: str) -> str:
    return text.replace("`", "\u02cb")


def linkify(text: str) -> str:
    """Turn the `@U…` and `@S…` of our own refusals into mentions of the person or the group.

    Only for escaped text in which nobody else's words stand: whom it names is told.
    """
    return _MARKED_GROUP.sub(r"<!subteam^\1>", _MARKED_PERSON.sub(r"<@\1>", text))


def mention(actor: Actor) -> str:
    """Return a person as Slack shows people, or the best name we have."""
    if re.fullmatch(r"[UW][A-Z0-9]{2,20}", actor.slack_id):
        return f"<@{actor.slack_id}>"
    if actor.origin == "policy":
        return "the policy, which needs no person for this playbook"
    return escape(actor.label, 80)


def place(channel: str) -> str:
    """Return a channel as Slack shows channels; what is no id of one stands there as text."""
    return f"<#{channel}>" if _CHANNEL.fullmatch(channel) else code(channel, 80)


def moment(at: datetime) -> str:
    """Return a time as each reader's own clock shows it, with UTC for those whose client cannot."""
    fallback = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def severity_words(severity: Severity) -> str:
    """Return a severity as a sign and a word: never by colour alone."""
    return f"{_SEVERITY_SIGNS[severity]} {severity.value.capitalize()}"


def listed(names: list[str]) -> str:
    """Return names as people list them: `a`, `a and b`, `a, b and c`."""
    *most, last = names or [""]
    return f"{', '.join(most)} and {last}" if most else last
