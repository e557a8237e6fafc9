"""The app's manifest says what the code does: its commands, and the permissions of the methods it calls."""

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from slack_bolt import App
from slack_sdk import WebClient

from handlers.home import register_home
from handlers.listeners import register
from handlers.patterns import any_of
from handlers.vocabulary import COMMANDS, SHORTCUTS
from tests.conftest import schema
from tests.unit.handlers.house import House

ROOT = Path(__file__).resolve().parents[3]
# docs.slack.dev/reference/methods, each method's “Required scopes” for bot tokens.
SCOPES: dict[str, set[str]] = {
    "auth_test": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_completeUploadExternal": {"files:write"},
    "files_delete": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "files_info": {"files:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_lookupByEmail": {"users:read.email"},
    "users_info": {"users:read", "users:read.email"},  # the address is part of the audit trail
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    return loaded


def called_methods() -> set[str]:
    """Return the Web API methods that any file of the handlers calls on any object."""
    known = {name for name in dir(WebClient) if not name.startswith("_") and name != "api_call"}
    calls = set()
    for path in (ROOT / "handlers").rglob("*.py"):
        if (
            path.name == "slack_client.py"
        ):  # the client itself, which hands on the method that it was called for
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                calls.add(node.func.attr)
    assert "api_call" not in calls, "a method called by its name escapes this test"
    return calls & known


def test_the_manifest_is_one(manifest: dict[str, Any]) -> None:
    rules = json.loads(schema("slack-manifest.schema.2.0.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(rules).validate(manifest)


def test_its_commands_are_those_we_explain(manifest: dict[str, Any]) -> None:
    said = {entry["command"]: entry for entry in manifest["features"]["slash_commands"]}
    assert {name: (e["description"], e["usage_hint"], e["should_escape"]) for name, e in said.items()} == {
        command.name: (command.description, command.usage_hint, True) for command in COMMANDS
    }


def test_and_those_we_listen_for(manifest: dict[str, Any], house: House) -> None:
    heard: list[Any] = []

    class Listening(App):
        def command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
            heard.append(command)
            return super().command(command, *args, **kwargs)

    app = Listening(token="xoxb-x", signing_secret="x", token_verification_enabled=False)
    register(app, house.services)
    assert heard == [any_of(entry["command"] for entry in manifest["features"]["slash_commands"])]


def test_its_shortcuts_are_those_we_explain_and_listen_for(manifest: dict[str, Any], house: House) -> None:
    said = [
        {
            "name": each.name,
            "type": "message",
            "callback_id": each.callback_id,
            "description": each.description,
        }
        for each in SHORTCUTS
    ]
    assert manifest["features"]["shortcuts"] == said
    heard: list[Any] = []

    class Listening(App):
        def shortcut(self, constraints: Any, *args: Any, **kwargs: Any) -> Any:
            heard.append(constraints)
            return super().shortcut(constraints, *args, **kwargs)

    app = Listening(token="xoxb-x", signing_secret="x", token_verification_enabled=False)
    register(app, house.services)
    assert heard == [{"type": "message_action", "callback_id": each["callback_id"]} for each in said]


def test_its_scopes_are_those_our_calls_need(manifest: dict[str, Any]) -> None:
    methods = called_methods()
    assert methods == set(SCOPES)
    needed = set().union(*(SCOPES[method] for method in methods)) | {"commands"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_it_asks_for_no_public_address(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(manifest)


def test_its_events_are_those_we_listen_for(manifest: dict[str, Any], house: House) -> None:
    heard: list[str] = []

    class Listening(App):
        def event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
            heard.append(str(event))
            return super().event(event, *args, **kwargs)

    register_home(
        Listening(token="xoxb-x", signing_secret="x", token_verification_enabled=False), house.services
    )
    assert heard == manifest["settings"]["event_subscriptions"]["bot_events"]
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
