"""Values that are costly to make, kept while they are fresh: clients and credentials, shared between threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the values used last, at most `room` of them.

    However many threads ask for a key at once, its value is made by one of them, and nobody waits for the value of another key.
    What cannot be made is not kept, and neither is what is no longer fresh.
    """

    def __init__(self, *, room: int, is_fresh: Callable[[V], bool]) -> None:
        self._room = room
        self._is_fresh = is_fresh
        self._slots: OrderedDict[K, _Slot[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, made anew where there is none or where it has gone stale."""
        slot = self._slot(key)
        with slot.lock:
            if not slot.value or not self._is_fresh(slot.value[0]):
                slot.value = (make(),)
            return slot.value[0]

    def __len__(self) -> int:
        return len(self._slots)

    def _slot(self, key: K) -> "_Slot[V]":
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._room:
                self._slots.popitem(last=False)
            return slot


class _Slot(Generic[V]):
    """A place for one value; empty until it is made."""

    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: tuple[()] | tuple[V] = ()
