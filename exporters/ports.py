"""What exporters need of the outside: somewhere to hand a finished file to."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A rendered report, ready to be handed over.

    `content` stands at its beginning and is closed when the delivery returns: copy it, do not keep it. `size` is in
    bytes, `sha256` 64 hexadecimal digits; `findings` went in, `rejected` could not be written.
    """

    name: str
    media_type: str
    size: int
    sha256: str
    content: BinaryIO
    findings: int = 0
    rejected: int = 0


class Delivery(Protocol):
    """Takes a file to where the person asked for it: a channel, a mailbox, a path."""

    def deliver(self, file: ExportedFile) -> None:
        """Hand the file over, whole.

        Raises:
            CountersignError: it could not be handed over; the text says why.
        """
