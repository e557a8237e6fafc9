"""Notes of the trail's head, kept where the trail is not: they show a cut at the chain's end.

A chain proves that nothing in it was edited, dropped or moved, up to its own end. Whoever can rewrite the database can also
cut its tail, and the rest still holds. So the head is written down elsewhere from time to time (a file that the database's
owner cannot write, a channel that many people see). A cut after the last note cannot be seen; one before it can.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from audit.errors import InputError
from audit.trail import Break, TrailEntry, breaks

_WORD = re.compile(r"\b(\d{1,18}):([0-9a-f]{64})\b")

# What could not be noted is tried again after this at the latest.
LONGEST_ANCHOR_REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head as it was noted: its place and its hash, 32 bytes."""

    seq: int
    entry_hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.entry_hash.hex()}"

    @classmethod
    def of(cls, head: TrailEntry) -> Self:
        """Return the anchor of an entry."""
        return cls(head.seq, head.entry_hash)

    def to_line(self, at: datetime) -> str:
        """Return a line for a file of anchors, without the line's end."""
        return json.dumps({"at": at.astimezone(UTC).isoformat(timespec="seconds"), "anchor": str(self)})


@dataclass(frozen=True, slots=True)
class DueAnchor:
    """An anchor that is to be noted: at which attempt, and the `places` where it stands already."""

    anchor: Anchor
    attempt: int = 1
    places: frozenset[str] = frozenset()


def anchor_wait(attempt: int) -> timedelta:
    """Return how long to wait after so many attempts in vain: 1 min, 2 min, 4 min and so on, an hour at most."""
    return min(timedelta(minutes=1) * (1 << min(attempt - 1, 6)), LONGEST_ANCHOR_REST)


def read_anchors(text: str) -> list[Anchor]:
    """Return every anchor in a text: our own file, a message copied from a channel, or `12:ab…` as it is.

    Raises:
        InputError: there is none in it.
    """
    found = [Anchor(int(match[1]), bytes.fromhex(match[2])) for match in _WORD.finditer(text)]
    if not found:
        raise InputError("there is no anchor in it: one is a number, a colon and 64 hexadecimal digits")
    return found


def breaks_with_anchors(entries: Iterable[TrailEntry], anchors: Iterable[Anchor]) -> Iterator[Break]:
    """Walk the chain like `breaks`, and yield also where it is not the one whose head was noted.

    Keeps one entry and the anchors, whatever the trail's length.
    """
    noted: dict[int, set[bytes]] = {}
    for anchor in anchors:
        noted.setdefault(anchor.seq, set()).add(anchor.entry_hash)
    walk = _Walk(noted)
    yield from breaks(walk.over(entries))
    yield from walk.found
    yield from _beyond(noted, walk.last_seq)


class _Walk:
    """Compares entries with the anchors while they pass by."""

    def __init__(self, noted: Mapping[int, set[bytes]]) -> None:
        self._noted = noted
        self.last_seq = 0
        self.found: list[Break] = []

    def over(self, entries: Iterable[TrailEntry]) -> Iterator[TrailEntry]:
        for entry in entries:
            self.last_seq = max(self.last_seq, entry.seq)
            hashes = self._noted.get(entry.seq)
            if hashes is not None and hashes != {entry.entry_hash}:
                self.found.append(
                    Break(entry.seq, "is not the entry that was noted here: the trail was rewritten")
                )
            yield entry


def _beyond(noted: Mapping[int, set[bytes]], last_seq: int) -> Iterator[Break]:
    for seq in sorted(noted):
        if seq > last_seq:
            yield Break(seq, f"was noted as the head, but the trail ends at {last_seq}: its tail was cut")
            return
