"""What is kept of what Slack sent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from audit.actor import Actor
from audit.errors import InputError
from handlers.blocks.names import CardRef
from handlers.requests import (
    action_request,
    actor_of,
    command_request,
    execution_id_for,
    response_url_of,
    view_request,
)

NOW = datetime(2026, 2, 24, 9, 0, tzinfo=UTC)
COMMAND = {
    "team_id": "T1",
    "user_id": "U1",
    "command": "/report",
    "text": "list",
    "channel_id": "C1",
    "channel_name": "security",
    "response_url": "https://hooks.slack.com/x",
    "trigger_id": "1.2.a",
}
CLICK: dict[str, Any] = {
    "user": {"id": "U1", "team_id": "T2"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "actions": [{"action_id": "approve", "value": "x-1:2"}],
    "response_url": "https://hooks.slack.com/x",
    "trigger_id": "1.2.a",
}


def test_a_command_is_kept_with_all_that_answering_needs() -> None:
    request = command_request(COMMAND, now=NOW)
    assert request.kind == "command"
    assert request.actor == Actor(workspace="T1", slack_id="U1")
    assert request.payload == {key: COMMAND[key] for key in ("command", "text", "channel_id", "channel_name")}


def test_what_opens_a_door_at_slack_is_not_kept() -> None:
    form = {"view": {"private_metadata": "{}"}, "response_url": "https://hooks.slack.com/x"}
    requests = (
        command_request(COMMAND, now=NOW),
        action_request(CLICK, now=NOW),
        view_request(form, now=NOW),
    )
    assert not any("hooks.slack.com" in repr(request) for request in requests)
    assert response_url_of(COMMAND) == response_url_of(CLICK) == "https://hooks.slack.com/x"


def test_in_a_shared_channel_people_keep_their_own_workspace() -> None:
    assert actor_of(CLICK) == Actor(workspace="T2", slack_id="U1")
    assert actor_of({**CLICK, "user": {"id": "U1"}}) == Actor(workspace="T1", slack_id="U1")
    assert actor_of({**CLICK, "team": None}) == Actor(workspace="T2", slack_id="U1")


def test_the_same_delivery_is_the_same_request_and_asks_for_the_same_execution() -> None:
    first, again = command_request(COMMAND, now=NOW), command_request(COMMAND, now=NOW)
    assert first.request_id == again.request_id
    assert execution_id_for(first) == execution_id_for(again)


def test_other_interactions_are_other_requests() -> None:
    ids = {
        command_request(COMMAND, now=NOW).request_id,
        command_request({**COMMAND, "trigger_id": "1.2.b"}, now=NOW).request_id,
        action_request(CLICK, now=NOW).request_id,
    }
    assert len(ids) == 3


def test_without_a_trigger_nothing_is_taken_for_a_repeat() -> None:
    bare = {**COMMAND, "trigger_id": ""}
    assert command_request(bare, now=NOW).request_id != command_request(bare, now=NOW).request_id


@pytest.mark.parametrize(
    "body", [{}, {"actions": []}, {"actions": ["x"], "user": 3}, {"view": {"state": []}}]
)
def test_a_body_in_another_shape_is_kept_without_what_is_missing(body: dict[str, Any]) -> None:
    for make in (command_request, action_request, view_request):
        assert set(make(body, now=NOW).payload.values()) == {""}


def test_a_card_reference_reads_back() -> None:
    assert CardRef.parse(CardRef("x-1", 2).value) == CardRef("x-1", 2)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x-1",
        "x-1:",
        "x-1:0",
        "x-1:-1",
        "x-1:1 ",
        "x 1:1",
        "x-1:1:",
        "x-1:1:2:3",
        ":1",
        "x-1:\u0661",
        None,
        7,
        "x" * 300 + ":1",
    ],
)
def test_any_other_value_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        CardRef.parse(value)
