"""The trail: who did what, chained so that a change to any entry shows.

The format is frozen. Entry *n* carries

    hash_n = SHA-256( hash_(n-1) ‖ SHA-256( canonical bytes of event n ) )

with 32-byte digests joined as bytes, `hash_0` = 32 zero bytes, and the canonical bytes stored exactly as
hashed. The inner digest lets evidence about one entry be shown without the text of its neighbours. What a
chain cannot show is a cut at its end: for that the head is anchored elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from audit.actor import Actor
from audit.canonical import canonical_bytes
from audit.errors import InputError

FORMAT_VERSION = 1
GENESIS = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """One thing that happened.

    `kind` is a dotted name such as `execution.approved`; `subject` the id of what it happened to; `detail`
    holds JSON values without floats, and never a secret.
    """

    kind: str
    actor: Actor
    at: datetime
    subject: str
    detail: Mapping[str, object] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that are hashed and stored.

        Raises:
            InputError: the detail holds something without a canonical form, or the time has no zone.
        """
        if self.at.tzinfo is None:
            raise InputError("a trail event needs a time with a zone")
        return canonical_bytes(
            {
                "v": FORMAT_VERSION,
                "kind": self.kind,
                "actor": self.actor.to_dict(),
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "subject": self.subject,
                "detail": self.detail if isinstance(self.detail, dict) else dict(self.detail),
            }
        )


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One stored link: its place (from 1), the canonical bytes, the hash before it, its own."""

    seq: int
    body: bytes
    previous_hash: bytes
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold: the entry's number and what is wrong with it."""

    seq: int
    reason: str


def body_digest(body: bytes) -> bytes:
    """Return the inner digest, 32 bytes."""
    return hashlib.sha256(body).digest()


def link(previous_hash: bytes, body: bytes) -> bytes:
    """Return the hash of an entry that follows `previous_hash`, 32 bytes."""
    return hashlib.sha256(previous_hash + body_digest(body)).digest()


def append(head: TrailEntry | None, event: TrailEvent) -> TrailEntry:
    """Return the entry that comes after `head` (None: the first of all)."""
    body = event.to_bytes()
    previous = head.entry_hash if head else GENESIS
    return TrailEntry((head.seq if head else 0) + 1, body, previous, link(previous, body))


def breaks(entries: Iterable[TrailEntry]) -> Iterator[Break]:
    """Walk the chain from its first entry and yield every place where it does not hold.

    Reads a stream and keeps one entry, so a trail of any length takes the same memory.
    """
    expected_seq, previous_hash = 1, GENESIS
    for entry in entries:
        if entry.seq != expected_seq:
            yield Break(entry.seq, f"entry {expected_seq} is missing or out of order")
        if entry.previous_hash != previous_hash:
            yield Break(entry.seq, "does not follow the entry before it")
        if entry.entry_hash != link(entry.previous_hash, entry.body):
            yield Break(entry.seq, "its content does not match its hash")
        expected_seq, previous_hash = entry.seq + 1, entry.entry_hash
