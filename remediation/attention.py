"""What people are to be told beside the cards, each thing once: read from what is stored, at any time, by any process."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from audit.errors import InputError
from remediation.execution import Glimpse, PlaybookExecution
from remediation.policy import Policy
from remediation.ports import Exceptions, ExecutionStore, Notices
from remediation.rules import Terms
from remediation.states import PlaybookStatus

REMINDER = "reminder"
ESCALATION = "escalation"
EXCEPTION_OVER = "exception"
GLASS = "glass"
OVERDUE = "overdue"
# The items of a batch are planned one after the other, and each has its time from then on.
_SAME_END = timedelta(minutes=10)
# What happened while nobody was there to tell it is news for this long.
NEWS_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Whose attention is drawn, and when.

    Approvers are reminded `remind_before` the time is over (None: never). `escalate_to` holds the ids of channels and people
    who are told when it was over and nobody had decided.
    """

    remind_before: timedelta | None = None
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: its kind, the execution or exception it is about, and which of several such things it is."""

    kind: str
    about: str
    number: str

    @property
    def notice_id(self) -> str:
        """Return the name under which it is told once."""
        return f"{self.kind}:{self.about}:{self.number}"

    @classmethod
    def parse(cls, notice_id: str) -> Self:
        """Read a name.

        Raises:
            InputError: it is none.
        """
        kind, _, rest = notice_id.partition(":")
        about, _, number = rest.rpartition(":")
        if not (kind and about and number):
            raise InputError(f"“{notice_id[:80]}” names nothing to tell")
        return cls(kind, about, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Herald:
    """Finds what nobody has been told yet."""

    store: ExecutionStore
    exceptions: Exceptions
    notices: Notices
    policy: Policy
    attention: Attention

    def due(self, now: datetime) -> list[str]:
        """Return the names of what is to be told now."""
        wanted = [*self._reminders(now), *self._ran_out(now), *self._exceptions(now)]
        return self.notices.untold(notice.notice_id for notice in wanted)

    def _reminders(self, now: datetime) -> Iterator[Notice]:
        before = self.attention.remind_before
        if before is None:
            return
        ending = self.store.glimpses(PlaybookStatus.PENDING, after=now, until=now + before, untold=REMINDER)
        for glimpse in self._one_of_each_entry(ending):
            if self.policy.terms_at_a_glance(glimpse).expires_after > before:
                yield Notice(REMINDER, glimpse.execution_id, str(glimpse.revision))

    def _ran_out(self, now: datetime) -> Iterator[Notice]:
        for execution in self.store.ran_out(now, since=now):
            yield from self._broken(execution, now)
        for place in self.attention.escalate_to:
            expired = self.store.glimpses(
                PlaybookStatus.EXPIRED, after=now - NEWS_FOR, untold=ESCALATION, number=place
            )
            for glimpse in self._one_of_each_entry(expired):
                yield Notice(ESCALATION, glimpse.execution_id, place)

    def _one_of_each_entry(self, glimpses: Iterable[Glimpse]) -> Iterator[Glimpse]:
        """Yield executions; of those that share a card, the same people and the same end, one stands for all."""
        seen: dict[tuple[str, Terms], list[datetime]] = {}
        for each in glimpses:
            ends = seen.setdefault((each.entry, self.policy.terms_at_a_glance(each)), [])
            if not any(abs(each.expires_at - end) <= _SAME_END for end in ends):
                ends.append(each.expires_at)
                yield each

    def _broken(self, execution: PlaybookExecution, now: datetime) -> Iterator[Notice]:
        """Yield what everybody hears of broken glass: at once, and once a day when nobody reviews it."""
        if execution.unreviewed is None:
            return
        yield Notice(GLASS, execution.execution_id, f"{execution.revision}-thread")
        if self.policy.break_glass and self.policy.break_glass.channel:
            yield Notice(GLASS, execution.execution_id, f"{execution.revision}-channel")
        if execution.review_due_at and now >= execution.review_due_at:
            day = (now - execution.review_due_at).days
            yield Notice(OVERDUE, execution.execution_id, f"{execution.revision}-{day}")

    def _exceptions(self, now: datetime) -> Iterator[Notice]:
        for exception in self.exceptions.ended_since(now - NEWS_FOR):
            yield Notice(EXCEPTION_OVER, exception.exception_id, "1")


def needs_reminder(execution: PlaybookExecution, now: datetime) -> bool:
    """Tell whether a decision is still to be made, and can be."""
    return execution.status is PlaybookStatus.PENDING and now < execution.expires_at
