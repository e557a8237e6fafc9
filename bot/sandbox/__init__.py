"""A stand-in for Slack that speaks its wire protocol, for `countersign demo` and for tests alike."""

from bot.sandbox.delivery import Ack
from bot.sandbox.pagesetup import Command, MessageShortcut, PageSetup, Panel, PanelAction, PanelRow, TourStep
from bot.sandbox.records import Call, Message, StoredFile, View, Violation
from bot.sandbox.results import Choice, CommandResult, SubmitResult, SuggestResult
from bot.sandbox.standin import SlackStandIn
from bot.sandbox.workspace import DEFAULT_WORKSPACE, Channel, Person, UserGroup, Workspace

__all__ = [
    "DEFAULT_WORKSPACE",
    "Ack",
    "Call",
    "Channel",
    "Choice",
    "Command",
    "CommandResult",
    "Message",
    "MessageShortcut",
    "PageSetup",
    "Panel",
    "PanelAction",
    "PanelRow",
    "Person",
    "SlackStandIn",
    "StoredFile",
    "SubmitResult",
    "SuggestResult",
    "TourStep",
    "UserGroup",
    "View",
    "Violation",
    "Workspace",
]
