"""A playbook's steps in words: what each one is called, and what it sets."""

from collections.abc import Mapping

from handlers.blocks.texts import code, escape, listed, plain
from remediation.actions.contract import show_value
from remediation.playbook import CLOUDS, PlaybookAction

_MOST_SETTINGS = 12
_SWITCHES = {True: "turns on", False: "turns off"}


def describe_step(action: PlaybookAction) -> str:
    """Return a step as a line of mrkdwn, such as *Block public access* (`block_public_access`): turns on `A` and `B`."""
    name = plain(action.action_name.replace("_", " "), 80)
    does = _tale(action) or "; ".join(_effects(_settings(action)))
    called = f"*{escape(name[:1].upper() + name[1:], 80)}* ({code(action.action_name, 80)})"
    told = f"{called}: {does}" if does else f"{called}, done by {code(action.action_type, 40)}"
    return f"{told}, only where {code(action.condition, 200)}" if action.condition else told


def _tale(action: PlaybookAction) -> str:
    """Return what a step does that sets nothing; empty for others."""
    params = action.params
    if action.action_type == "notification":
        place = code(str(params.get("channel") or params.get("target")), 80)
        return f"tells {place}: {escape(str(params.get('message')), 200)}"
    if action.action_type == "script":
        return f"runs the script {code(str(params.get('script')), 100)}"
    if action.action_type == "manual" and isinstance(steps := params.get("steps"), list):
        return f"is for a person to do by hand, in {len(steps)} steps; Countersign changes nothing"
    return ""


def _settings(action: PlaybookAction) -> Mapping[str, object]:
    """Return what a step is told to set; the specification puts a cloud step's parameters one level deeper."""
    if action.action_type not in CLOUDS:
        return action.params
    inner = action.params.get("params")
    return inner if isinstance(inner, Mapping) else {}


def _effects(settings: Mapping[str, object]) -> list[str]:
    """Return the switches a step turns on, those it turns off, and the values it is given."""
    shown = dict(list(settings.items())[:_MOST_SETTINGS])
    effects = [
        f"{verb} {listed(names)}" for turned, verb in _SWITCHES.items() if (names := _names_of(shown, turned))
    ]
    values = [
        f"{code(name, 60)} {code(show_value(value), 60)}"
        for name, value in shown.items()
        if not isinstance(value, bool)
    ]
    effects += [f"with {listed(values)}"] if values else []
    left_out = len(settings) - len(shown)
    return [*effects, f"and {left_out} more settings"] if left_out else effects


def _names_of(settings: Mapping[str, object], turned: bool) -> list[str]:  # noqa: FBT001 - a setting's value
    return [code(name, 60) for name, value in settings.items() if value is turned]
