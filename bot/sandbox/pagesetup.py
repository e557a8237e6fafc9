"""What the demo page shows besides Slack: commands to complete, panels of the cloud, a guided tour."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.sandbox.inbox import Inbox

Tone: TypeAlias = Literal["bad", "good", "neutral"]


@dataclass(frozen=True)
class Command:
    """A slash command the composer completes; `words` are its subcommands.

    `command` with the slash, e.g. `/report`; `usage_hint` as in the app's manifest.
    """

    command: str
    description: str = ""
    usage_hint: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class MessageShortcut:
    """An entry in the menu of messages that have files; real Slack shows it on every message."""

    callback_id: str
    name: str


@dataclass(frozen=True)
class PanelRow:
    """One fact of a panel: under the heading `group`, `label` has `value`; `tone` colours it."""

    group: str
    label: str
    value: str
    tone: Tone = "neutral"


@dataclass(frozen=True)
class PanelAction:
    """A button of a panel; `run` is called on the server and may take a while."""

    id: str
    label: str
    description: str
    run: Callable[[], None]


@dataclass(frozen=True)
class Panel:
    """A live list beside the chat; `read` is called about once a second while somebody looks."""

    id: str
    title: str
    read: Callable[[], list[PanelRow]]
    actions: tuple[PanelAction, ...] = ()
    tab: str = "Cloud"


@dataclass(frozen=True)
class TourStep:
    """One step of the guided tour: clicking it switches to `person` and fills in `command`."""

    title: str
    text: str
    person: str
    command: str = ""
    channel: str = ""


@dataclass(frozen=True)
class PageSetup:
    """Everything the demo page is given. `people` are the handles one can switch between.

    With an `inbox` the page has a tab for the mails that arrive there.
    """

    commands: tuple[Command, ...] = ()
    shortcuts: tuple[MessageShortcut, ...] = ()
    panels: tuple[Panel, ...] = ()
    tour: tuple[TourStep, ...] = ()
    people: tuple[str, ...] = ("ana", "omar", "otto")
    roles: dict[str, str] = field(default_factory=dict)
    title: str = "Countersign demo"
    start_channel: str = "security"
    inbox: Inbox | None = None
