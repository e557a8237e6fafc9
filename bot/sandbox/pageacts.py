"""What the demo page asks for, each as a function of the request's JSON; see `driving.Driving`.

Every answer has `error` (empty when the bot acknowledged in time). `as` is the acting person's id.
"""

from collections.abc import Callable
from typing import TypeAlias

from bot.sandbox.delivery import Ack
from bot.sandbox.driving import SLACKBOT, Driving
from bot.sandbox.panels import LivePanels
from bot.sandbox.payloads import escape_command
from bot.sandbox.records import Message
from bot.sandbox.results import Act
from bot.sandbox.shapes import Json

PageAct: TypeAlias = Callable[[Driving, LivePanels, Json], Json]


def _told(ack: Ack) -> Json:
    return {"error": ack.error, "latency_s": round(ack.latency_s, 3)}


def send_command(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """A slash command; a failure is shown in the channel, so the page need not say it again."""
    name = body["text"].split()[0]
    if slack.registered and name not in slack.registered:
        words = f"{name} is not a valid command. There are {', '.join(sorted(slack.registered))}."
        slack.show(Message(body["channel"], "", SLACKBOT, words, only_for=body["as"]))
    else:
        slack.command(user=body["as"], channel=body["channel"], text=body["text"])
    return {"error": ""}


def say(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """A message, with @handles and #channels turned into mentions."""
    text = escape_command(slack.workspace, body["text"])
    slack.say(body["as"], body["channel"], text, body.get("thread"))
    return {"error": ""}


def click(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """A used button, menu or picker, with the inputs filled in around it."""
    act = Act(
        body["as"],
        body["target"],
        body["action_id"],
        body.get("value"),
        body.get("block_id"),
        body.get("choices") or {},
    )
    return _told(slack.act(act))


def shortcut(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """An entry of a message's menu."""
    target = slack.find_target(body["as"], body["target"])
    if not isinstance(target, Message):
        raise TypeError("a view has no menu")
    return _told(slack.shortcut(body["as"], body["callback_id"], target))


def submit(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """A submitted modal; `errors` by block_id."""
    result = slack.submit_view(body["as"], body["target"], body.get("choices") or {})
    return _told(result) | {"errors": dict(result.errors)}


def close(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """A cancelled modal."""
    return _told(slack.close_view(body["as"], body["target"]))


def suggest(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """The options of an external select for what was typed."""
    result = slack.suggest(body["as"], body["target"], body["action_id"], body.get("query", ""))
    return _told(result) | {"options": [vars(option) for option in result.options]}


def home(slack: Driving, _panels: LivePanels, body: Json) -> Json:
    """The person looks at the App Home."""
    return _told(slack.open_home(body["as"]))


def panel(_slack: Driving, panels: LivePanels, body: Json) -> Json:
    """A button of a live panel."""
    panels.run(body["panel"], body["action"])
    return {"error": ""}


ACTS: dict[str, PageAct] = {
    "command": send_command,
    "say": say,
    "click": click,
    "shortcut": shortcut,
    "submit": submit,
    "close": close,
    "suggest": suggest,
    "home": home,
    "panel": panel,
}
