"""Lists that are longer than a page: which part is shown, and the buttons that lead to its neighbours.

A button says which list, by which words, and from where on: whoever uses it is answered as if they had typed that themselves.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, PlainTextObject

from audit.errors import InputError
from handlers.blocks.names import NEXT_PAGE, PREVIOUS_PAGE
from handlers.blocks.parts import Message, section

T = TypeVar("T")
FINDINGS = "findings"
_LONGEST_VALUE = 1500
_FURTHEST = 10**9
_NOT_OURS = "This button is not one of ours, or from another version. Ask for the list once more."


@dataclass(frozen=True, slots=True)
class PageRef:
    """All that a paging button says: which list, the words that were asked with, and where the page begins."""

    list_name: str
    words: tuple[str, ...] = ()
    offset: int = 0

    @property
    def value(self) -> str:
        """Return it as a button carries it, with nothing in it that could be read as markup."""
        carried = json.dumps([self.list_name, self.offset, *self.words], ensure_ascii=False)
        return carried.replace("<", "\\u003c")

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a button's value; one of an earlier version names no list, and is about findings.

        Raises:
            InputError: it is none of ours.
        """
        try:
            first, *others = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            raise InputError(_NOT_OURS) from None
        name, rest = (first, others) if isinstance(first, str) else (FINDINGS, [first, *others])
        offset, words = (rest[0], rest[1:]) if rest else (-1, [])
        is_ours = type(offset) is int and 0 <= offset <= _FURTHEST
        if not is_ours or not all(isinstance(word, str) for word in words):
            raise InputError(_NOT_OURS)
        return cls(name, tuple(words), offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list: what stands on it, and whether more comes after it. `size` is what fits on a page."""

    ref: PageRef
    items: Sequence[T]
    has_more: bool
    size: int

    @classmethod
    def read(cls, ref: PageRef, read: Callable[[int, int], Sequence[T]], *, size: int) -> Self:
        """Read a page with a function that takes how many at the most, and how many to leave out before them."""
        found = read(size + 1, ref.offset)
        return cls(ref=ref, items=found[:size], has_more=len(found) > size, size=size)

    @property
    def is_whole(self) -> bool:
        """Tell whether this is the whole list."""
        return not self.ref.offset and not self.has_more

    def title(self, name: str, *, total: int | None = None) -> str:
        """Return a headline that says which part of the list this is, unless it is all of it."""
        if self.is_whole:
            return name
        of = f" of {total:,}" if total is not None else ""
        return f"{name} {self.ref.offset + 1:,} to {self.ref.offset + len(self.items):,}{of}"

    def buttons(self) -> list[Block]:
        """Return the buttons to the pages before and after, where there are any."""
        elements = list(self._elements()) if len(self.ref.value) <= _LONGEST_VALUE else []
        return [ActionsBlock(elements=elements)] if elements else []

    def nothing_more(self, what: str) -> Message:
        """Return a page behind the last one, from which somebody finds back."""
        words = f"There are no more {what}."
        return Message(words, (section(words), *self.buttons()))

    def _elements(self) -> Iterator[ButtonElement]:
        offset = self.ref.offset
        if offset:
            yield _button(PREVIOUS_PAGE, "Previous", replace(self.ref, offset=max(0, offset - self.size)))
        if self.has_more:
            yield _button(NEXT_PAGE, "Next", replace(self.ref, offset=offset + len(self.items)))


def _button(action_id: str, text: str, ref: PageRef) -> ButtonElement:
    return ButtonElement(action_id=action_id, text=PlainTextObject(text=text, emoji=False), value=ref.value)
