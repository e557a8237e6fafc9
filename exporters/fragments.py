"""Text that is written again and again, rendered once.

In a report the same thirty check texts stand beside thousands of resources. Rendering (quoting, escaping, encoding)
costs far more than copying, so rendered fragments are kept by the text they came from: by the text and not by the check's
id, because texts differ between scanner versions. Measured in `bench/README.md`.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=str | bytes)

MOST_HELD_CHARACTERS = 2_000_000
LONGEST_KEPT = 100_000


class Fragments(dict[Key, bytes], Generic[Key]):
    """A bounded mapping from a text to its fragment, filled on the way: `fragments[text]`.

    When it holds more than two million characters of texts and fragments, it starts over: simpler than an eviction order,
    and as fast wherever texts repeat at all. Longer texts than `LONGEST_KEPT` are not kept.
    """

    __slots__ = ("_held", "_render")

    def __init__(self, render: Callable[[Key], bytes]) -> None:
        super().__init__()
        self._render = render
        self._held = 0

    def __missing__(self, text: Key) -> bytes:
        fragment = self._render(text)
        cost = len(text) + len(fragment)
        if cost <= LONGEST_KEPT:
            self._make_room(cost)
            self[text] = fragment
        return fragment

    def _make_room(self, cost: int) -> None:
        self._held += cost
        if self._held > MOST_HELD_CHARACTERS:
            self.clear()
            self._held = cost
