"""Noting the trail's head where the database's owner cannot reach: in a file, in a channel, or both."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from slack_sdk import WebClient

from audit.anchors import Anchor
from audit.errors import ConfigError
from audit.ports import Anchors
from bot.config import Config
from bot.config_errors import reason
from handlers.anchor import post_anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Notes the head when it is due. `file` and `channel` say where; with neither, nothing is noted."""

    anchors: Anchors
    client: WebClient
    clock: Callable[[], datetime]
    every: timedelta
    file: Path | None = None
    channel: str | None = None

    def due(self) -> Anchor | None:
        """Return the head to be noted now; None where nothing is due, or nowhere to note it is configured."""
        if self.file is None and self.channel is None:
            return None
        return self.anchors.due(self.clock(), every=self.every)

    def note(self, anchor: Anchor) -> None:
        """Note a head. What fails is tried again by a later sweep, and a head noted twice is harmless.

        Raises:
            ConfigError: the file cannot be written.
            SlackClientError: Slack refuses or does not answer.
        """
        if self.file is not None:
            _add_line(self.file, anchor.to_line(self.clock()))
        if self.channel is not None:
            post_anchor(self.client, self.channel, anchor)
        self.anchors.told(anchor)


def make_anchoring(
    config: Config, *, folder: Path, anchors: Anchors, client: WebClient, clock: Callable[[], datetime]
) -> Anchoring:
    """Return the anchoring that the configuration asks for; a relative file is looked for in `folder`."""
    section = config.trail
    return Anchoring(
        anchors=anchors,
        client=client,
        clock=clock,
        every=timedelta(hours=section.anchor_every_hours),
        file=folder / section.anchor_file if section.anchor_file else None,
        channel=section.anchor_channel,
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
