"""What came of writing a report: how much was written, and what was left out and why.

One malformed finding must never cost the others. Writers shape one finding at a time and catch only `MALFORMED`, the
errors that a wrong shape raises; a failing disk or database still fails the whole export.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from audit.errors import InputError

Item = TypeVar("Item")
Shaped = TypeVar("Shaped")
MOST_REASONS = 100
MALFORMED = (AttributeError, KeyError, TypeError, ValueError, InputError)


class ByteSink(Protocol):
    """Anything that takes bytes: a file, a spool, a hash with a file behind it."""

    def write(self, data: bytes, /) -> object:
        """Take the bytes."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many findings were read, how many of them left out; `reasons` names the first hundred of those."""

    read: int
    rejected: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def findings(self) -> int:
        """Return how many findings went through."""
        return self.read - self.rejected


@dataclass(slots=True)
class Passage:
    """Leads findings one by one through a shaping function, and keeps count.

    It counts all that is left out and names the first hundred, so that it cannot grow with the report.
    """

    read: int = 0
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def each(self, items: Iterable[Item], shape: Callable[[Item], Shaped | None]) -> Iterator[Shaped]:
        """Yield the shape of every item; none for one that has no place here (None) or cannot be shaped."""
        for self.read, item in enumerate(items, start=1):
            try:
                shaped = shape(item)
            except MALFORMED as error:
                self._reject(error)
                continue
            if shaped is not None:
                yield shaped

    def lines(self) -> list[str]:
        """Return a line per reason, and one for those not named."""
        unnamed = self.rejected - len(self.reasons)
        return [*self.reasons, *([f"and {unnamed:,} more"] if unnamed else [])]

    def written(self) -> Written:
        """Sum up."""
        return Written(self.read, self.rejected, tuple(self.reasons))

    def _reject(self, error: Exception) -> None:
        self.rejected += 1
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(f"finding {self.read}: {_words(error)}")


def _words(error: Exception) -> str:
    """Say what was wrong in one short line."""
    if isinstance(error, KeyError):
        return f"{error.args[0] if error.args else 'something'} is missing"
    return " ".join(str(error).split())[:200] or type(error).__name__
