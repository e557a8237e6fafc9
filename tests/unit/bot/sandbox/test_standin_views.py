"""Views over time: stacks, hashes, what the person typed, and answers that break rules."""

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import SlackStandIn, View
from bot.sandbox.delivery import Ack
from bot.sandbox.elements import filled_state, merged_state, missing_inputs
from bot.sandbox.results import Act
from bot.sandbox.submitting import apply_answer
from tests.unit.bot.sandbox.sandbox_kit import Json, button, modal, section, text_input


def opened(slack: SlackStandIn, view: Json) -> View:
    """Open a modal as a bot would, with a trigger of Ana's."""
    trigger = slack.new_handles(slack.workspace.person("ana"), "").trigger_id
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    client.views_open(trigger_id=trigger, view=view)
    return slack.views("ana")[-1]


def test_an_old_hash_is_refused(slack: SlackStandIn, client: WebClient) -> None:
    view = opened(slack, modal(section("One")))
    client.views_update(view_id=view.id, hash=view.hash, view=modal(section("Two")))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_update(view_id=view.id, hash=view.hash, view=modal(section("Three")))
    assert slack.views("ana")[-1].words == "Two"


def test_a_view_is_found_by_its_external_id(slack: SlackStandIn, client: WebClient) -> None:
    opened(slack, modal(section("One"), external_id="mine"))
    client.views_update(external_id="mine", view=modal(section("Two")))
    assert slack.views("ana")[-1].words == "Two"
    with pytest.raises(SlackApiError, match="not_found"):
        client.views_update(external_id="other", view=modal(section("Two")))


def test_three_modals_are_the_most(slack: SlackStandIn, client: WebClient) -> None:
    view = opened(slack, modal(section("One"), callback_id="c"))
    person = slack.workspace.person("ana")
    for _ in range(2):
        trigger = slack.new_handles(person, "", view).trigger_id
        client.views_push(trigger_id=trigger, view=modal(section("More")))
    trigger = slack.new_handles(person, "", view).trigger_id
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        client.views_push(trigger_id=trigger, view=modal(section("Too many")))
    assert len(slack.views("ana")) == 3
    slack.close_view("ana", slack.views("ana")[-1])
    assert len(slack.views("ana")) == 2


def test_a_push_needs_a_trigger_from_a_modal(slack: SlackStandIn, client: WebClient) -> None:
    opened(slack, modal(section("One")))
    trigger = slack.new_handles(slack.workspace.person("ana"), "").trigger_id
    with pytest.raises(SlackApiError, match="not_found"):
        client.views_push(trigger_id=trigger, view=modal(section("Two")))


def test_nobody_submits_another_persons_modal(slack: SlackStandIn) -> None:
    view = opened(slack, modal(text_input("reason")))
    with pytest.raises(LookupError, match="does not see"):
        slack.submit_view("omar", view, {"reason": "Mine now"})
    with pytest.raises(LookupError, match="there is no reasons"):
        slack.submit_view("ana", view, {"reasons": "A misspelt block"})


def test_what_was_typed_stays_while_a_click_is_sent(slack: SlackStandIn) -> None:
    actions = {"type": "actions", "block_id": "more", "elements": [button("add", "Add")]}
    view = opened(slack, modal(text_input("reason"), actions))
    slack.act(Act("ana", view, "add", choices={"reason": "Half a sentence"}))
    values = slack.views("ana")[-1].values
    assert values is not None
    assert values["reason"]["text"]["value"] == "Half a sentence"


def test_an_update_in_an_answer_must_be_a_good_view(slack: SlackStandIn) -> None:
    view = opened(slack, modal(section("One")))
    broken = modal(section("x" * 3001))
    apply_answer(slack.state, view, Ack(200, body={"response_action": "update", "view": broken}))
    assert slack.views("ana")[-1].words == "One"
    assert "/view/blocks/0/text/text" in slack.violations[0].message
    good = modal(section("Two"))
    apply_answer(slack.state, view, Ack(200, body={"response_action": "update", "view": good}))
    assert slack.views("ana")[-1].words == "Two"


def nothing(_element: Json, _value: str) -> None:
    """Offer no external options."""


def test_choices_name_blocks_or_actions_or_both() -> None:
    pickers = [{"type": "datepicker", "action_id": name} for name in ("from", "until")]
    blocks = (text_input("reason"), {"type": "actions", "block_id": "when", "elements": pickers})
    choices = {"text": "Because", "when": {"until": "2026-12-01"}}
    values = filled_state(blocks, None, choices, nothing)
    assert values["reason"]["text"]["value"] == "Because"
    assert values["when"]["until"]["selected_date"] == "2026-12-01"
    assert values["when"]["from"]["selected_date"] is None


def test_state_is_kept_where_ids_and_types_agree() -> None:
    blocks = (text_input("reason"),)
    known = filled_state(blocks, None, {"reason": "Kept"}, nothing)
    assert (
        merged_state((text_input("reason"), text_input("other")), known)["reason"]["text"]["value"] == "Kept"
    )
    renamed = {**text_input("reason"), "element": {"type": "datepicker", "action_id": "text"}}
    assert merged_state((renamed,), known)["reason"]["text"]["selected_date"] is None


@pytest.mark.parametrize(
    ("typed", "objection"),
    [("", "required"), ("no", "At least 3"), ("far too long", "At most 5"), ("just", "")],
)
def test_slacks_own_client_objects_first(typed: str, objection: str) -> None:
    blocks = (text_input("reason", min_length=3, max_length=5),)
    values = filled_state(blocks, None, {"reason": typed}, nothing)
    assert objection in missing_inputs(blocks, values).get("reason", "")
    assert bool(missing_inputs(blocks, values)) is bool(objection)


def test_a_block_and_its_element_may_share_a_name() -> None:
    """The page sends `{block_id: {action_id: value}}`, which must not be read as the element's own value."""
    field = {"type": "plain_text_input", "action_id": "reason"}
    blocks = (
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": field,
        },
    )
    filled = filled_state(blocks, None, {"reason": {"reason": "x"}}, lambda *_: None)
    assert filled["reason"]["reason"]["value"] == "x"
