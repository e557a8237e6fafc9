"""The few kinds of blocks our messages are made of, and messages themselves."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from handlers.blocks.texts import ELLIPSIS, plain, shorten

MOST_CHARACTERS = 12_000  # Slack refuses about 13,200 without saying so in its documentation (bolt-js#2509)
SECTION_LIMIT = 3000
FIELD_LIMIT = 2000
HEADER_LIMIT = 150
_UNNAMED = "(no name)"
TEXT_LIMIT = 3900  # chat.update takes 4,000
_MORE_ROOM = 24  # for the line that says how many are left out
_ROOMS = (2000, 1000, 500, 240, 100)


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: blocks, and the words that notifications and screen readers use instead.

    One that `replaces` takes the place of the private message whose button it answers, so that no button outlives its use.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    replaces: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return `text` and `blocks` as the Web API takes them.

        Raises:
            SlackObjectFormationError: a block breaks one of Slack's limits.
        """
        return {
            "text": shorten(self.text, TEXT_LIMIT),
            "blocks": [block.to_dict() for block in self.blocks],
        }


def plain_message(message: Message) -> Message:
    """Return a message without its blocks, for when Slack refuses them: the words say the same. Cut to what it always takes."""
    return Message(shorten(message.text, SECTION_LIMIT))


def fit(build: Callable[[int], Sequence[Block]], *, limit: int = MOST_CHARACTERS) -> tuple[Block, ...]:
    """Return blocks that Slack takes as a whole: built with as much room (characters) for each long text as fits."""
    blocks: tuple[Block, ...] = ()
    for room in _ROOMS:
        blocks = tuple(build(room))
        if size_of(blocks) <= limit:
            break
    return blocks


def size_of(blocks: Iterable[Block]) -> int:
    """Return how many characters blocks take as JSON."""
    return len(json.dumps([block.to_dict() for block in blocks], ensure_ascii=False, separators=(",", ":")))


def mrkdwn(text: str) -> MarkdownTextObject:
    """Return text in Slack's markup; `verbatim`, so that Slack makes no links of what looks like one."""
    return MarkdownTextObject(text=text, verbatim=True)


def section(text: str) -> SectionBlock:
    """Return a paragraph."""
    return SectionBlock(text=mrkdwn(text))


def fields(pairs: Iterable[tuple[str, str]]) -> SectionBlock:
    """Return names and values in two columns; at most ten pairs."""
    return SectionBlock(fields=[mrkdwn(f"*{name}*\n{value}") for name, value in pairs])


def context(text: str) -> ContextBlock:
    """Return small print."""
    return ContextBlock(elements=[mrkdwn(text)])


def header(text: str) -> HeaderBlock:
    """Return a headline."""
    return HeaderBlock(text=PlainTextObject(text=plain(text, HEADER_LIMIT) or _UNNAMED, emoji=False))


def join_newest(lines: Sequence[str], limit: int) -> str:
    """Return the last lines that fit into `limit` characters, none of them cut."""
    kept: list[str] = []
    for line in reversed(lines):
        if sum(map(len, kept)) + len(kept) + len(line) > limit - 2:
            kept.append(ELLIPSIS)
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def join_first(parts: Sequence[str], limit: int, *, separator: str = "\n", total: int | None = None) -> str:
    """Return the first parts that fit into `limit` characters, none of them cut, and how many of `total` are left out.

    `total` is how many there are where `parts` are only the first of them.
    """
    kept: list[str] = []
    for part in parts:
        if sum(map(len, kept)) + len(separator) * len(kept) + len(part) > limit - _MORE_ROOM:
            break
        kept.append(part)
    left_out = (len(parts) if total is None else max(total, len(parts))) - len(kept)
    return separator.join([*kept, *([f"… and {left_out:,} more"] if left_out else [])])
