"""The picture that everybody's home shows: one upload for each state of what it draws, shared by all of a workspace.

It is remembered in the database and not in a process: after a restart nothing is drawn and uploaded once more, several processes share
one, and what a newer picture replaced is deleted from Slack whoever uploaded it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

# Whoever takes a picture upon themselves has so long; what failed in an unforeseen way, or died, is tried again then.
PICTURE_LOST_AFTER = timedelta(seconds=90)
# Homes are drawn a few at a time: those that still show the picture of before keep it until all have had their turn.
KEPT_AFTER_REPLACED = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePicture:
    """A picture of what `digest` stands for.

    `file_id` is empty until it was uploaded; `is_ready` tells that Slack can show it. `since` is when it came to where it is,
    `due_at` when it is to be looked at again: to make it, to ask Slack about it, or to delete it.
    """

    digest: str
    file_id: str = ""
    is_ready: bool = False
    since: datetime
    due_at: datetime | None = None


class HomePictures(Protocol):
    """The pictures of homes, by the digest of what they draw. One is the newest, the others were replaced by it."""

    def find(self, digest: str) -> str:
        """Return the file that homes may show; empty where there is none."""

    def begin(self, digest: str, now: datetime) -> HomePicture | None:
        """Make this the newest picture, and take upon oneself what is to be done about it.

        None where nothing is, or somebody took it within `PICTURE_LOST_AFTER`.
        """

    def retire(self, now: datetime) -> None:
        """Let there be no newest picture: what it showed is there no more."""

    def keep(self, picture: HomePicture) -> None:
        """Store what became of a picture, whether or not it was replaced meanwhile."""

    def is_due(self, now: datetime) -> bool:
        """Tell whether there is anything to do about the newest picture, or about one that was replaced."""

    def replaced(self, now: datetime) -> list[HomePicture]:
        """Return those that were replaced `KEPT_AFTER_REPLACED` ago and whose time it is, to be deleted from Slack."""

    def forget(self, digest: str) -> None:
        """Forget a picture that is nowhere any more."""
