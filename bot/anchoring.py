"""Noting the trail's head where the database's owner cannot reach: in a file, in a channel, or both."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from slack_sdk import WebClient

from audit.anchors import DueAnchor
from audit.errors import ConfigError
from audit.ports import Anchors
from bot.config import Config
from bot.config_errors import reason
from handlers.anchor import post_anchor
from handlers.blocks.texts import escape
from handlers.posting import tell_first
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, advise, code_of, is_passing
from remediation.ports import Notices

log = structlog.get_logger()
FILE, CHANNEL = "file", "channel"
_LASTS = 6  # attempts, which is half an hour: what passes by itself is told from then on
_CALLED = {FILE: "trail.anchor_file", CHANNEL: "trail.anchor_channel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Notes the head when it is due. `file` and `channel` say where; with neither, nothing is noted.

    What stands in the way of one is no matter to the other, and is told once in the channel `told_in`.
    """

    anchors: Anchors
    notices: Notices
    client: WebClient
    clock: Callable[[], datetime]
    every: timedelta
    file: Path | None = None
    channel: str | None = None
    told_in: str = ""

    def due(self) -> DueAnchor | None:
        """Return the head to be noted now; None where nothing is due, or nowhere to note it is configured."""
        if self.file is None and self.channel is None:
            return None
        return self.anchors.due(self.clock(), every=self.every)

    def note(self, due: DueAnchor) -> None:
        """Note a head where it does not stand yet. What fails is tried again later, and a head noted twice is harmless."""
        failed = [place for place in self._places() if place not in due.places and not self._put(due, place)]
        if not failed:
            self.anchors.told(due.anchor)

    def _places(self) -> list[str]:
        places = {FILE: self.file, CHANNEL: self.channel}
        return [name for name, where in places.items() if where is not None]

    def _put(self, due: DueAnchor, place: str) -> bool:
        """Note a head in one place; tell whether it stands there now."""
        try:
            if place == FILE and self.file:
                _add_line(self.file, due.anchor.to_line(self.clock()))
            elif self.channel:
                post_anchor(self.client, self.channel, due.anchor)
        except (ConfigError, *SLACK_FAILURES) as error:
            why = error.explain() if isinstance(error, ConfigError) else advise(code_of(error))
            log.warning("head of the trail not noted", place=place, attempt=due.attempt, error=why)
            if due.attempt >= _LASTS or isinstance(error, ConfigError) or not is_passing(error):
                self._complain(place, why)
            return False
        self.anchors.noted(due.anchor, place)
        return True

    def _complain(self, place: str, why: str) -> None:
        """Say in the configured channel that heads are not noted in a place: once, until they are again."""
        first = self.anchors.first_without(place)
        notice = f"anchor:{place}:{first.seq if first else 0}"
        if not self.told_in or not self.notices.begin(notice, self.clock()):
            return
        words = (
            f"⚠️ The head of the trail could not be noted in `{_CALLED[place]}`: {escape(why, 1000)} Until it is, a cut at the "
            "trail's end shows nowhere but in the other copies. I keep trying; this is not said again."
        )
        try:
            tell_first(self.client, [self.told_in], words)
        except SLACK_FAILURES as error:
            if is_passing(error):
                return
        self.notices.told(notice)


def make_anchoring(config: Config, *, folder: Path, anchors: Anchors, services: Services) -> Anchoring:
    """Return the anchoring that the configuration asks for; a relative file is looked for in `folder`."""
    section = config.trail
    return Anchoring(
        anchors=anchors,
        notices=services.notices,
        client=services.client,
        clock=services.clock,
        every=timedelta(hours=section.anchor_every_hours),
        file=folder / section.anchor_file if section.anchor_file else None,
        channel=section.anchor_channel,
        told_in=services.channel,
    )


def _add_line(path: Path, line: str) -> None:
    """Add a line and see it on the disk before anything is said to be noted."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"trail.anchor_file {path} cannot be written ({reason(error)})") from None
