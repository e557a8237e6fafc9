"""What our tables let through is shown to slack_sdk's own models, wherever a payload can come from."""

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.sandbox import SlackStandIn
from bot.sandbox.blockkit import BLOCKS
from bot.sandbox.checks import check_blocks, check_options, check_view
from bot.sandbox.models import UNKNOWN_TO_THE_SDK, check_blocks_by_models, check_options_by_models
from tests.unit.bot.sandbox.conftest import Serve
from tests.unit.bot.sandbox.sandbox_kit import Json, modal, section

# Our table knows how a date is written, the model also that no year has ninety-nine months.
NO_SUCH_DAY = {"type": "datepicker", "action_id": "day", "initial_date": "2026-99-99"}
BAD = section("When?", accessory=NO_SUCH_DAY)
REFUSAL = "slack_sdk.models refuses it: initial_date attribute must be in format 'YYYY-MM-DD'"


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
def test_what_a_model_refuses_is_refused(surface: str) -> None:
    assert [problem.reason for problem in check_blocks([BAD], surface=surface, at="/blocks")] == [REFUSAL]
    assert check_blocks([section("When?")], surface=surface, at="/blocks") == []


@pytest.mark.parametrize("method", ["post", "private", "update", "open", "home"])
def test_nothing_posted_gets_around_it(slack: SlackStandIn, client: WebClient, method: str) -> None:
    said = client.chat_postMessage(channel="C0SECURITY", text="When shall it be?")
    where = {"channel": "C0SECURITY", "text": "When shall it be?", "blocks": [BAD]}
    calls = {
        "post": lambda: client.chat_postMessage(**where),
        "private": lambda: client.chat_postEphemeral(user="U0ANA", **where),
        "update": lambda: client.chat_update(ts=said["ts"], **where),
        "open": lambda: client.views_open(trigger_id="none", view=modal(BAD)),
        "home": lambda: client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [BAD]}),
    }
    with pytest.raises(SlackApiError):
        calls[method]()
    assert [violation.message for violation in slack.violations] == [
        f"[ERROR] {REFUSAL} [json-pointer:{'/view' if method in ('open', 'home') else ''}/blocks/0]"
    ]


def test_an_answer_where_it_was_asked_does_not_get_around_it(
    slack: SlackStandIn, bolt: App, serve: Serve
) -> None:
    def on_command(ack: Ack) -> None:
        ack(text="When shall it be?", blocks=[BAD])

    bolt.command("/when")(on_command)
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/when")
    assert [REFUSAL in violation.message for violation in slack.violations] == [True]


def test_a_view_without_blocks_is_refused() -> None:
    assert ["between 1 and 100 blocks" in each.reason for each in check_view(modal())] == [True]


def test_what_the_models_leave_out_is_named() -> None:
    blocks: list[Json] = [section("A"), section("B", shiny=True)]
    found = [(each.pointer, each.reason) for each in check_blocks_by_models(blocks, "/blocks")]
    assert found == [("/blocks/1/shiny", "slack_sdk.models knows nothing of this")]


def test_options_are_shown_to_the_models_too() -> None:
    option = {"text": {"type": "plain_text", "text": "A"}, "value": "a"}
    group = {"label": option["text"], "options": [option]}
    assert check_options({"options": [option]}) == check_options({"option_groups": [group]}) == []
    found = [*check_options_by_models({"options": [option | {"shiny": True}]})]
    found += check_options_by_models({"option_groups": [group | {"shiny": True}]})
    assert [each.pointer for each in found] == ["/options/0/shiny", "/option_groups/0/shiny"]


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_the_models_know_each_of_our_blocks_but_those_we_name(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        Block.parse({"type": kind})
    except TypeError:  # a field is missing: so the model is there
        assert kind not in UNKNOWN_TO_THE_SDK
    else:
        assert ("Unknown block" in caplog.text) == (kind in UNKNOWN_TO_THE_SDK)
