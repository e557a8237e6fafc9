"""Whom to keep informed: who looks at a home of theirs, and who was told what came of their request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from audit.actor import Actor
from remediation.states import PlaybookStatus

# Slack takes about a hundred views a minute (views.publish, tier 4): so many in so long, over all people and processes.
HOME_EVERY = timedelta(seconds=3)
HOMES_AT_ONCE = 5
OUTCOMES = frozenset(
    {
        PlaybookStatus.REJECTED,
        PlaybookStatus.EXPIRED,
        PlaybookStatus.COMPLETED,
        PlaybookStatus.FAILED,
        PlaybookStatus.INTERRUPTED,
        PlaybookStatus.ROLLED_BACK,
        PlaybookStatus.ROLLBACK_FAILED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A person's home that is to be drawn; `changes` counts what had happened when the drawing began."""

    workspace: str
    slack_id: str
    changes: int

    @property
    def person(self) -> Actor:
        """Return whose it is."""
        return Actor(workspace=self.workspace, slack_id=self.slack_id)


class Homes(Protocol):
    """Who has opened their home, and whether what they see is up to date. Homes are named `workspace/slack_id`."""

    def opened(self, person: Actor, now: datetime) -> str:
        """Note that a person looks at their home; return its name. It is due at once, unless it was drawn just now."""

    def changed(self) -> None:
        """Note that something changed: every home is out of date."""

    def due(self, now: datetime, *, report_id: str) -> list[str]:
        """Return the homes to draw now: out of date, or drawn with another newest report.

        Never one that was begun within `HOME_EVERY`, and no more than `HOMES_AT_ONCE` in that time: those first that somebody has
        looked at last. Whoever has not looked for long is drawn once the others are, or when they look.
        """

    def begin(self, name: str, now: datetime) -> Home | None:
        """Begin to draw a home; None where there is none, or it was begun within `HOME_EVERY` by anybody."""

    def drawn(self, home: Home, *, report_id: str) -> None:
        """Note that a home shows what had happened when its drawing began."""

    def forget(self, home: Home) -> None:
        """Forget a home that nobody can be shown any more."""


class Outcomes(Protocol):
    """Who was told what came of an execution: once for each outcome."""

    def claim(self, execution_id: str, status: PlaybookStatus, now: datetime) -> bool:
        """Take it upon oneself to tell; False where somebody did already. Committed at return, ahead of the telling."""

    def put_off(self, execution_id: str, status: PlaybookStatus, *, until: datetime) -> None:
        """Give a claim back: it was certainly not told, and may be tried again then."""

    def untold(self, now: datetime, *, limit: int = 50) -> list[str]:
        """Return ids of executions that have come to one of `OUTCOMES`, and nobody claimed to tell it."""
