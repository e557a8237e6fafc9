"""Deliveries to a tiny real Bolt app: signed HTTP, acknowledgements, deadlines, response_urls."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import DEFAULT_WORKSPACE, SlackStandIn
from bot.sandbox.limits import LIMITS
from tests.unit.bot.sandbox.sandbox_kit import Json, button, modal, section, text_input

Serve = Callable[[App], str]
SECURITY = "C0SECURITY"


def test_a_slash_command_arrives_and_its_answer_is_private(
    slack: SlackStandIn, bolt: App, serve: Serve
) -> None:
    heard: list[Json] = []

    def report(ack: Ack, command: Json) -> None:
        heard.append(command)
        ack("Two reports")

    bolt.command("/report")(report)
    serve(bolt)
    result = slack.command(user="ana", channel="#security", text="/report list for @omar & #general")
    assert (result.ok, result.status, result.body) == (True, 200, {"text": "Two reports"})
    assert heard[0]["command"] == "/report"
    assert heard[0]["text"] == "list for <@U0OMAR|omar> &amp; <#C0GENERAL|general>"
    assert (heard[0]["user_id"], heard[0]["channel_name"]) == ("U0ANA", "security")
    assert [m.text for m in slack.messages("#security", "ana")] == ["Two reports"]
    assert slack.messages("#security", "omar") == ()


def test_a_late_acknowledgement_shows_slacks_error(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    release = threading.Event()

    def slow(ack: Ack) -> None:
        release.wait(10)
        ack()

    bolt.command("/report")(slow)
    serve(bolt)
    slack.ack_timeout_s = 0.2
    try:
        result = slack.command(user="ana", channel="#security", text="/report slow")
    finally:
        release.set()
    assert result.error == "operation_timeout"
    (notice,) = slack.messages("#security", "ana")
    assert notice.text == "/report failed with the error “operation_timeout”"


def test_a_bot_that_is_away_or_refuses_shows_dispatch_failed(
    slack: SlackStandIn, bolt: App, serve: Serve
) -> None:
    assert slack.command(user="ana", channel="#security", text="/report").error == "dispatch_failed"
    serve(bolt)
    result = slack.command(user="ana", channel="#security", text="/unheard")
    assert (result.status, result.error) == (404, "dispatch_failed")


def test_the_signature_is_checked_by_bolt(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    bolt.command("/report")(lambda ack: ack())
    serve(bolt)
    assert slack.command(user="ana", channel="#security", text="/report").ok
    slack.state.workspace = replace(slack.workspace, signing_secret="another")
    assert slack.command(user="ana", channel="#security", text="/report").status == 401


def test_a_button_click_can_edit_its_message(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    def approve(ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        words = f"Approved by <@{body['user']['id']}>"
        client.chat_update(channel=SECURITY, ts=body["message"]["ts"], text=words, blocks=[])

    bolt.action("approve")(approve)
    serve(bolt)
    actions = {"type": "actions", "elements": [button("approve", value="x1")]}
    posted = bolt.client.chat_postMessage(channel=SECURITY, text="Please approve", blocks=[actions])
    assert slack.click("omar", posted["ts"], "approve").ok
    card = slack.wait_for(
        lambda: next((m for m in slack.messages("#security") if m.text.startswith("Approved")), None)
    )
    assert (card.text, card.blocks) == ("Approved by <@U0OMAR>", ())


def test_buttons_that_share_an_action_id_are_told_apart_by_value(
    slack: SlackStandIn, bolt: App, serve: Serve
) -> None:
    heard: list[str] = []

    def open_it(ack: Ack, action: Json) -> None:
        heard.append(action["value"])
        ack()

    bolt.action("open")(open_it)
    serve(bolt)
    rows = [section(f"Row {n}", accessory=button("open", value=str(n))) for n in range(3)]
    posted = bolt.client.chat_postMessage(channel=SECURITY, text="Three rows", blocks=rows)
    slack.click("ana", posted["ts"], "open", "2")
    assert heard == ["2"]


def test_nobody_clicks_what_they_cannot_see(slack: SlackStandIn, bolt: App) -> None:
    actions = [{"type": "actions", "elements": [button("go")]}]
    bolt.client.chat_postEphemeral(channel=SECURITY, user="U0ANA", text="Only Ana", blocks=actions)
    (seen,) = slack.messages("#security", "ana")
    with pytest.raises(LookupError, match="does not see"):
        slack.click("omar", seen, "go")
    with pytest.raises(LookupError, match="there are: go"):
        slack.click("ana", seen, "stop")


def test_menus_send_their_choice_and_refuse_others(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    heard: list[Any] = []

    def chosen(ack: Ack, action: Json) -> None:
        heard.append(action["selected_option"]["value"])
        ack()

    bolt.action("pick")(chosen)
    serve(bolt)
    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("json", "csv")]
    select = {"type": "static_select", "action_id": "pick", "options": options}
    posted = bolt.client.chat_postMessage(
        channel=SECURITY, text="Pick a format", blocks=[section("Format", accessory=select)]
    )
    assert slack.click("ana", posted["ts"], "pick", "csv").ok
    assert heard == ["csv"]
    with pytest.raises(LookupError, match="does not offer"):
        slack.click("ana", posted["ts"], "pick", "pdf")


def form_app(bolt: App, view: Json) -> None:
    def opens(ack: Ack, body: Json, client: WebClient) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    bolt.command("/form")(opens)


def test_a_modal_with_an_inline_error_then_accepted(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    heard: list[str] = []

    def check(ack: Ack, view: Json) -> None:
        words = view["state"]["values"]["reason"]["text"]["value"]
        if len(words) < 5:
            ack(response_action="errors", errors={"reason": "Say more"})
            return
        heard.append(words)
        ack()

    form_app(bolt, modal(text_input("reason")))
    bolt.view("form")(check)
    serve(bolt)
    slack.command(user="omar", channel="#security", text="/form")
    (view,) = slack.views("omar")
    assert slack.submit_view("omar", view).errors == {"reason": "Please complete this required field."}
    assert slack.submit_view("omar", view, {"reason": "no"}).errors == {"reason": "Say more"}
    assert len(slack.views("omar")) == 1
    assert slack.submit_view("omar", view, {"reason": "Wrong bucket"}).accepted
    assert (slack.views("omar"), heard) == ((), ["Wrong bucket"])
    assert slack.views("ana") == ()


def test_update_push_and_clear(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    second = modal(section("Second"), title={"type": "plain_text", "text": "Second"})
    answers: Iterator[Json] = iter(
        [{"response_action": "push", "view": second}, {"response_action": "clear"}]
    )
    form_app(bolt, modal(text_input("reason")))
    bolt.view("form")(lambda ack: ack(**next(answers)))
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/form")
    slack.submit_view("ana", slack.views("ana")[-1], {"reason": "Because"})
    assert [view.title for view in slack.views("ana")] == ["Form", "Second"]
    slack.submit_view("ana", slack.views("ana")[-1])
    assert slack.views("ana") == ()


def test_an_error_for_no_input_block_breaks_a_rule(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    form_app(bolt, modal(text_input("reason")))
    bolt.view("form")(lambda ack: ack(response_action="errors", errors={"nowhere": "Hm"}))
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/form")
    slack.submit_view("ana", slack.views("ana")[-1], {"reason": "Because"})
    assert "names no input block" in slack.violations[0].message


def test_a_closed_modal_is_reported_when_asked(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    closed = threading.Event()

    def gone(ack: Ack) -> None:
        closed.set()
        ack()

    form_app(bolt, modal(section("Hi"), notify_on_close=True))
    bolt.view_closed("form")(gone)
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/form")
    assert slack.close_view("ana", slack.views("ana")[-1]).ok
    assert closed.is_set()


def test_a_trigger_works_once_and_only_while_fresh(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    errors: list[str] = []

    def twice(ack: Ack, body: Json, client: WebClient) -> None:
        for _ in range(2):
            answer = client.api_call(
                "views.open", json={"trigger_id": body["trigger_id"], "view": modal(section("Hi"))}
            )
            errors.append(answer.get("error", ""))
        ack()

    def first_error(error: SlackApiError) -> None:
        errors.append(error.response["error"])

    bolt.command("/twice")(twice)
    bolt.error(first_error)
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/twice")
    slack.trigger_ttl_s = -1.0
    slack.command(user="ana", channel="#security", text="/twice")
    assert errors == ["", "exchanged_trigger_id", "expired_trigger_id"]


def test_an_external_select_offers_what_the_bot_answers(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    heard: list[str] = []

    def playbooks(ack: Ack, payload: Json) -> None:
        names = [name for name in ("block-public", "rotate-key") if payload["value"] in name]
        ack(options=[{"text": {"type": "plain_text", "text": n.title()}, "value": n} for n in names])

    def chosen(ack: Ack, action: Json) -> None:
        heard.append(action["selected_option"]["text"]["text"])
        ack()

    bolt.options("playbook")(playbooks)
    bolt.action("playbook")(chosen)
    serve(bolt)
    select = {"type": "external_select", "action_id": "playbook", "min_query_length": 0}
    posted = bolt.client.chat_postMessage(
        channel=SECURITY, text="Which playbook?", blocks=[section("Which?", accessory=select)]
    )
    result = slack.suggest("ana", posted["ts"], "playbook", "rot")
    assert [(o.text, o.value) for o in result.options] == [("Rotate-Key", "rotate-key")]
    slack.click("ana", posted["ts"], "playbook", "rotate-key")
    assert heard == ["Rotate-Key"]
    with pytest.raises(LookupError, match="does not offer"):
        slack.click("ana", posted["ts"], "playbook", "block-public")


def test_too_long_options_break_a_rule(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    option = {"text": {"type": "plain_text", "text": "x" * 76}, "value": "x"}
    bolt.options("playbook")(lambda ack: ack(options=[option]))
    serve(bolt)
    select = {"type": "external_select", "action_id": "playbook"}
    posted = bolt.client.chat_postMessage(
        channel=SECURITY, text="Which playbook?", blocks=[section("Which?", accessory=select)]
    )
    assert slack.suggest("ana", posted["ts"], "playbook").options == ()
    assert "/options/0/text/text" in slack.violations[0].message


def test_opening_the_home_tab_tells_the_bot(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    def opened(event: Json, client: WebClient) -> None:
        client.views_publish(
            user_id=event["user"], view={"type": "home", "blocks": [section("Nothing waits")]}
        )

    bolt.event("app_home_opened")(opened)
    serve(bolt)
    assert slack.open_home("omar").ok
    home = slack.wait_for(lambda: slack.home("omar"))
    assert home.words == "Nothing waits"


def test_an_event_is_repeated_until_acknowledged(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    attempts: list[tuple[str, str]] = []

    def stubborn(req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt's name
        number = req.headers.get("x-slack-retry-num", ["0"])[0]
        attempts.append((number, req.headers.get("x-slack-retry-reason", [""])[0]))
        if len(attempts) < 3:
            resp.status = 500
            return resp
        return next()

    bolt.middleware(stubborn)
    bolt.event("app_home_opened")(lambda: None)
    serve(bolt)
    assert slack.open_home("ana").ok
    assert attempts == [("0", ""), ("1", "http_error"), ("2", "http_error")]


def test_people_talk_and_the_bot_listens(bolt: App, serve: Serve, slack: SlackStandIn) -> None:
    slack.state.workspace = replace(DEFAULT_WORKSPACE, events=frozenset({"message", "app_mention"}))
    heard: list[str] = []
    bolt.event("message")(lambda event: heard.append(event["text"]))
    bolt.event("app_mention")(lambda: heard.append("mention"))
    serve(bolt)
    slack.say("ana", "#security", "Hello <@U0BOT>")
    slack.wait_for(lambda: len(heard) == 2)
    assert sorted(heard) == ["Hello <@U0BOT>", "mention"]


def test_a_message_shortcut_carries_its_message(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    heard: list[str] = []

    def shortcut(ack: Ack, body: Json) -> None:
        heard.append(body["message"]["text"])
        ack()

    bolt.shortcut("ingest")(shortcut)
    serve(bolt)
    said = slack.say("ana", "#security", "See this")
    assert slack.shortcut("ana", "ingest", said).ok
    assert heard == ["See this"]


def response_url_of(slack: SlackStandIn, bolt: App, serve: Serve) -> str:
    heard: list[str] = []

    def keep(ack: Ack, command: Json) -> None:
        heard.append(command["response_url"])
        ack()

    bolt.command("/report")(keep)
    serve(bolt)
    slack.command(user="ana", channel="#random", text="/report")
    return heard[0]


def test_a_response_url_answers_five_times(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    url = response_url_of(slack, bolt, serve)
    for number in range(LIMITS["response_url.uses"]):
        body = {
            "text": f"Answer {number}",
            "response_type": "in_channel" if number else "ephemeral",
        }
        assert httpx.post(url, json=body).text == "ok"
    assert len(slack.messages("#random", "otto")) == 4
    assert len(slack.messages("#random", "ana")) == 5
    assert httpx.post(url, json={"text": "Sixth"}).status_code == 404
    assert slack.violations[0].where == "response_url"


def test_a_response_url_expires(slack: SlackStandIn, bolt: App, serve: Serve) -> None:
    url = response_url_of(slack, bolt, serve)
    token = url.rpartition("/")[2]
    slack.state.response_urls[token] = replace(slack.state.response_urls[token], expires=time.monotonic() - 1)
    assert httpx.post(url, json={"text": "Too late"}).text == "expired_url"
    assert "30 minutes" in slack.violations[0].message


def test_a_response_url_can_replace_and_delete_an_ephemeral_message(
    slack: SlackStandIn, bolt: App, serve: Serve
) -> None:
    bodies = iter([{"replace_original": True, "text": "Replaced"}, {"delete_original": True}])

    def act(ack: Ack, body: Json) -> None:
        ack()
        httpx.post(body["response_url"], json=next(bodies))

    bolt.action("go")(act)
    serve(bolt)
    actions = [section("Hi", accessory=button("go"))]
    bolt.client.chat_postEphemeral(channel=SECURITY, user="U0ANA", text="Only Ana", blocks=actions)
    (shown,) = slack.messages("#security", "ana")
    slack.click("ana", shown, "go")
    slack.wait_for(lambda: slack.message("#security", shown.ts).text == "Replaced")
    assert slack.message("#security", shown.ts).only_for == "U0ANA"


@pytest.mark.parametrize("mention", ["<!channel>", "<!here>", "<!everyone>", "<!here|here>"])
def test_an_acknowledgement_must_not_ping_everybody(
    slack: SlackStandIn, bolt: App, serve: Serve, mention: str
) -> None:
    bolt.command("/report")(lambda ack: ack(f"Look {mention}"))
    serve(bolt)
    slack.command(user="ana", channel="#security", text="/report")
    assert slack.messages("#security", "ana") == ()
    assert "pings the whole channel" in slack.violations[0].message
