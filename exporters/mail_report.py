"""What became of a mail, address by address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from audit.errors import CountersignError, UnavailableError

_MOST_NAMED = 10


class Refusal(NamedTuple):
    """Why one address did not get the mail: the server's reply code (0 where there was no reply) and reason."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f"{self.code} {self.reason}" if self.code else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """Who was accepted by the server and who was not.

    Accepted means that the server took responsibility; it may still bounce the mail later, to the sender's mailbox.
    """

    message_id: str
    accepted: tuple[str, ...] = ()
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    attempts: int = 1

    @property
    def is_complete(self) -> bool:
        """Tell whether every recipient was accepted."""
        return not self.refused

    def require_complete(self) -> None:
        """Turn a partial refusal into an error.

        Raises:
            DeliveryError: somebody was refused.
        """
        if self.refused:
            raise DeliveryError(self)

    def explain(self) -> str:
        """Return one line for a person: how many were accepted, then who was refused and why."""
        total = len(self.accepted) + len(self.refused)
        if self.is_complete:
            return f"Mail accepted for {total} of {total}."
        return f"Mail accepted for {len(self.accepted)} of {total}. {'; '.join(self._refusals())}"

    def _refusals(self) -> list[str]:
        in_order = sorted(self.refused.items(), key=lambda entry: entry[1])
        return [
            f"{_named([address for address, _ in entries])}: {refusal}"
            for refusal, entries in groupby(in_order, key=lambda entry: entry[1])
        ]


def _named(addresses: list[str]) -> str:
    more = f" and {len(addresses) - _MOST_NAMED} more" if len(addresses) > _MOST_NAMED else ""
    return ", ".join(addresses[:_MOST_NAMED]) + more


class DeliveryError(CountersignError):
    """A mail did not reach everyone it was meant for.

    Args:
        report: who was accepted and who was not; without recipients where only the connection was tried.
        reason: what failed, where no address is involved.
    """

    def __init__(self, report: DeliveryReport, *, reason: str = "") -> None:
        super().__init__(reason or report.explain())
        self.report = report


class NotDeliveredYetError(DeliveryError, UnavailableError):
    """A mail reached nobody, and for some of them the server, or the way to it, was only not there for now."""
