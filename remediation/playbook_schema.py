"""A JSON Schema of playbook files, for editors that complete and check while people type."""

from typing import Any

from remediation.actions.registry import ActionRegistry, AnyAction
from remediation.playbook import CLOUDS
from remediation.playbook_file import PlaybookEntry
from remediation.prerequisites import CHECKS

Json = dict[str, Any]
_TEMPLATE: Json = {"type": "string", "pattern": r"\{\{.*\}\}", "description": "Quotes the finding."}


def playbook_schema(registry: ActionRegistry) -> Json:
    """Return the schema (draft 2020-12) of a playbook with the actions that ship."""
    schema = PlaybookEntry.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Countersign playbook"
    step = schema["$defs"]["ActionEntry"]
    raw = [_raw_form(key) for key in registry.raw_calls()]
    step["anyOf"] = [_form(action) for action in registry.actions()] + raw + [_other_types(registry)]
    schema["properties"]["prerequisites"]["items"] = {"enum": list(CHECKS)}
    return schema


def _form(action: AnyAction) -> Json:
    """Return how a step of this action is written."""
    settings = action.params_model.model_json_schema()
    settings["properties"] = {
        name: {"anyOf": [wanted, _TEMPLATE]} for name, wanted in settings.get("properties", {}).items()
    }
    if action.action_type not in CLOUDS:
        return _step(action.action_type, settings)
    service, _, call = action.key.partition(":")
    inner = {"service": {"const": service}, "action": {"const": call}, "params": settings}
    return _step(
        action.action_type,
        {"properties": inner, "required": ["service", "action"], "additionalProperties": False},
    )


def _raw_form(key: str) -> Json:
    """Return how a raw call that the configuration allows is written; what its parameters are AWS knows."""
    service, _, call = key.partition(":")
    inner = {"service": {"const": service}, "action": {"const": call}, "params": {"type": "object"}}
    return _step(
        "aws", {"properties": inner, "required": ["service", "action"], "additionalProperties": False}
    )


def _step(action_type: str, params: Json) -> Json:
    return {
        "properties": {"action_type": {"const": action_type}, "params": params},
        "required": ["action_type"],
    }


def _other_types(registry: ActionRegistry) -> Json:
    """Return the form of steps that a program's own handler does: nothing is known of their parameters."""
    known = sorted({action.action_type for action in registry.actions()})
    return {"properties": {"action_type": {"not": {"enum": known}}}}
