"""The Web API of the stand-in, through a real slack_sdk WebClient."""

import http.client
import json
from collections.abc import Callable

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.sandbox import SlackStandIn
from tests.unit.bot.sandbox.sandbox_kit import button, modal, section

SECURITY = "C0SECURITY"


def error_of(call: Callable[..., object], **args: object) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(**args)
    return str(caught.value.response["error"])


def test_auth_test_names_the_bot(client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["user_id"], answer["team_id"], answer["bot_id"]) == ("U0BOT", "T0DEMO", "B0BOT")


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-wrong", "invalid_auth"), ("xapp-stand-in", "not_allowed_token_type")]
)
def test_a_wrong_token_is_refused(slack: SlackStandIn, token: str, error: str) -> None:
    assert error_of(WebClient(token, base_url=slack.api_url).auth_test) == error


def test_without_a_token_nothing_works(slack: SlackStandIn) -> None:
    assert httpx.post(f"{slack.api_url}auth.test").json() == {"ok": False, "error": "not_authed"}


def test_unknown_method(client: WebClient) -> None:
    assert error_of(client.api_call, api_method="chat.shout") == "unknown_method"


def test_a_posted_message_is_seen_with_its_blocks(slack: SlackStandIn, client: WebClient) -> None:
    blocks = [section("*Hello* <@U0ANA>"), {"type": "actions", "elements": [button("go")]}]
    answer = client.chat_postMessage(channel="#security", text="Hello Ana", blocks=blocks)
    (seen,) = slack.messages("#security", "ana")
    assert (seen.ts, seen.action_ids) == (answer["ts"], ("go",))
    assert "*Hello* <@U0ANA>" in seen.words
    assert answer["message"]["blocks"][0]["block_id"]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0NOWHERE", "channel_not_found"), ("C0RANDOM", "not_in_channel"), ("C0VAULT", "channel_not_found")],
)
def test_where_the_bot_may_not_post(client: WebClient, channel: str, error: str) -> None:
    assert error_of(client.chat_postMessage, channel=channel, text="Hello") == error


@pytest.mark.filterwarnings("ignore:The top-level `text`")
def test_nothing_to_say(slack: SlackStandIn, client: WebClient) -> None:
    assert error_of(client.chat_postMessage, channel=SECURITY, text="") == "no_text"
    assert [violation.where for violation in slack.violations] == ["chat.postMessage"]


def test_a_broken_block_is_refused_with_a_pointer_and_recorded(
    slack: SlackStandIn, client: WebClient
) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=SECURITY, text="Hello there", blocks=[section("x" * 3001)])
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]
    assert "/blocks/0/text/text" in slack.violations[0].message
    assert slack.messages("#security") == ()


def test_update_edits_in_place_and_delete_removes(slack: SlackStandIn, client: WebClient) -> None:
    ts = client.chat_postMessage(channel=SECURITY, text="One")["ts"]
    client.chat_update(channel=SECURITY, ts=ts, text="Two")
    edited = slack.message("#security", ts)
    assert edited.text == "Two"
    assert edited.edited_ts is not None
    client.chat_delete(channel=SECURITY, ts=ts)
    assert error_of(client.chat_update, channel=SECURITY, ts=ts, text="Three") == "message_not_found"


def test_only_own_messages_can_be_edited(slack: SlackStandIn, client: WebClient) -> None:
    said = slack.say("ana", "#security", "Mine")
    assert error_of(client.chat_update, channel=SECURITY, ts=said.ts, text="Yours") == "cant_update_message"


def test_update_is_shorter_than_post(client: WebClient) -> None:
    ts = client.chat_postMessage(channel=SECURITY, text="x" * 4001)["ts"]
    assert error_of(client.chat_update, channel=SECURITY, ts=ts, text="x" * 4001) == "msg_too_long"


def test_an_ephemeral_message_is_seen_by_one_person(slack: SlackStandIn, client: WebClient) -> None:
    client.chat_postEphemeral(channel=SECURITY, user="U0ANA", text="Just you")
    assert [m.text for m in slack.messages("#security", "ana")] == ["Just you"]
    assert slack.messages("#security", "omar") == ()
    assert client.conversations_history(channel=SECURITY)["messages"] == []
    assert (
        error_of(client.chat_postEphemeral, channel=SECURITY, user="U0GONE", text="Hm")
        == "user_not_in_channel"
    )


def test_threads_metadata_and_history(slack: SlackStandIn, client: WebClient) -> None:
    metadata = {"event_type": "digest", "event_payload": {"fire": "f1"}}
    root = client.chat_postMessage(channel=SECURITY, text="Root", metadata=metadata)["ts"]
    client.chat_postMessage(channel=SECURITY, text="Reply", thread_ts=root)
    plain = client.conversations_history(channel=SECURITY)["messages"]
    full = client.conversations_history(channel=SECURITY, include_all_metadata=True)["messages"]
    assert (len(plain), plain[0]["reply_count"], "metadata" in plain[0]) == (1, 1, False)
    assert full[0]["metadata"] == metadata
    replies = client.conversations_replies(channel=SECURITY, ts=root)["messages"]
    assert [m["text"] for m in replies] == ["Root", "Reply"]
    assert [m.text for m in slack.thread("#security", root, "omar")] == ["Root", "Reply"]
    assert (
        error_of(client.chat_postMessage, channel=SECURITY, text="Lost", thread_ts="1.000001")
        == "thread_not_found"
    )


def test_history_comes_in_pages(client: WebClient) -> None:
    for number in range(5):
        client.chat_postMessage(channel=SECURITY, text=f"Number {number}")
    pages = client.conversations_history(channel=SECURITY, limit=2)
    assert [m["text"][-1] for page in pages for m in page["messages"]] == ["4", "3", "2", "1", "0"]


def test_a_direct_message_is_private(slack: SlackStandIn, client: WebClient) -> None:
    channel = client.conversations_open(users="U0ANA")["channel"]["id"]
    client.chat_postMessage(channel=channel, text="Between us")
    client.chat_postMessage(channel="U0ANA", text="Here too")
    assert [m.text for m in slack.messages("@ana", "ana")] == ["Between us", "Here too"]
    with pytest.raises(LookupError, match="cannot open"):
        slack.messages(channel, "omar")


def test_people_carry_what_approval_must_check(client: WebClient) -> None:
    people = {user["name"]: user for user in client.users_list()["members"]}
    flags = ("deleted", "is_bot", "is_restricted", "is_stranger")
    told = {name: [flag for flag in flags if person[flag]] for name, person in people.items()}
    assert told["omar"] == []
    assert (told["dana"], told["robot"], told["gia"], told["stan"]) == (
        ["deleted"],
        ["is_bot"],
        ["is_restricted"],
        ["is_stranger"],
    )
    assert people["stan"]["team_id"] == "T0OTHER"
    found = client.users_lookupByEmail(email="ANA@northwind.example")["user"]
    assert (found["id"], found["tz"]) == ("U0ANA", "Europe/Berlin")
    assert error_of(client.users_info, user="U0NOBODY") == "user_not_found"
    assert error_of(client.users_lookupByEmail, email="no@where.example") == "users_not_found"


def test_user_groups(client: WebClient) -> None:
    (group,) = client.usergroups_list(include_users=True)["usergroups"]
    assert (group["handle"], group["users"]) == ("sec-approvers", ["U0OMAR", "U0PRIYA"])
    assert client.usergroups_users_list(usergroup="S0SEC")["users"] == ["U0OMAR", "U0PRIYA"]
    assert error_of(client.usergroups_users_list, usergroup="S0NO") == "no_such_subteam"


def test_channels(client: WebClient) -> None:
    listed = client.conversations_list(types="public_channel")["channels"]
    assert {c["name"]: c["is_member"] for c in listed} == {"security": True, "general": True, "random": False}
    assert client.conversations_info(channel=SECURITY)["channel"]["topic"]["value"] == "Findings and fixes"
    assert "U0GUEST" in client.conversations_members(channel=SECURITY)["members"]


def test_home_is_published_per_person(slack: SlackStandIn, client: WebClient) -> None:
    client.views_publish(user_id="U0OMAR", view={"type": "home", "blocks": [section("Waiting: 2")]})
    home = slack.home("omar")
    assert home is not None
    assert home.words == "Waiting: 2"
    assert slack.home("ana") is None


def test_a_modal_needs_a_live_trigger(client: WebClient) -> None:
    assert error_of(client.views_open, trigger_id="none", view=modal(section("Hi"))) == "invalid_trigger_id"
    broken = modal(section("Hi"), title={"type": "plain_text", "text": "x" * 25})
    assert error_of(client.views_open, trigger_id="none", view=broken) == "invalid_arguments"


def test_files_upload_v2_posts_into_the_thread(slack: SlackStandIn, client: WebClient) -> None:
    root = client.chat_postMessage(channel=SECURITY, text="Report")["ts"]
    answer = client.files_upload_v2(
        channel=SECURITY,
        thread_ts=root,
        filename="report.csv",
        title="Findings",
        content="a,b\n1,2\n",
        initial_comment="Here it is",
    )
    (file,) = slack.files()
    assert (file.id, file.title, file.mimetype) == (answer["file"]["id"], "Findings", "text/csv")
    assert slack.file_content(file.id) == b"a,b\n1,2\n"
    assert slack.thread("#security", root)[-1].files == (file.id,)


def test_a_file_can_be_streamed(slack: SlackStandIn, client: WebClient) -> None:
    chunks = [b"x" * 1000] * 50
    ticket = client.files_getUploadURLExternal(filename="big.json", length=50_000)
    connection = http.client.HTTPConnection("127.0.0.1", int(slack.base_url.rpartition(":")[2]))
    path = ticket["upload_url"].removeprefix(slack.base_url)
    connection.request("POST", path, iter(chunks), {"Content-Length": "50000"})
    assert connection.getresponse().status == 200
    connection.close()
    client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}], channel_id=SECURITY)
    assert slack.file_content(ticket["file_id"]) == b"".join(chunks)


def test_an_upload_of_another_length_fails(slack: SlackStandIn, client: WebClient) -> None:
    ticket = client.files_getUploadURLExternal(filename="a.txt", length=3)
    assert httpx.post(ticket["upload_url"], content=b"four").status_code == 400
    assert httpx.post(f"{slack.base_url}/upload/guess", content=b"abc").status_code == 404
    error = error_of(
        client.files_completeUploadExternal, files=[{"id": ticket["file_id"]}], channel_id=SECURITY
    )
    assert error == "file_not_found"


def test_a_multipart_upload_is_understood(slack: SlackStandIn, client: WebClient) -> None:
    ticket = client.files_getUploadURLExternal(filename="a.txt", length=3)
    assert httpx.post(ticket["upload_url"], files={"file": b"abc"}).status_code == 200
    assert slack.file_content(ticket["file_id"]) == b"abc"


def test_permalink_and_reaction(slack: SlackStandIn, client: WebClient) -> None:
    ts = client.chat_postMessage(channel=SECURITY, text="Look")["ts"]
    client.reactions_add(channel=SECURITY, timestamp=ts, name="eyes")
    assert slack.message("#security", ts).reactions == (("eyes", "U0BOT"),)
    assert error_of(client.reactions_add, channel=SECURITY, timestamp=ts, name="eyes") == "already_reacted"
    assert SECURITY in client.chat_getPermalink(channel=SECURITY, message_ts=ts)["permalink"]


def test_a_form_post_may_carry_blocks_as_text(slack: SlackStandIn) -> None:
    form = {
        "token": "xoxb-stand-in",
        "channel": SECURITY,
        "text": "As a form",
        "blocks": json.dumps([section("In a form")]),
    }
    assert httpx.post(f"{slack.api_url}chat.postMessage", data=form).json()["ok"] is True
    form["blocks"] = "not json"
    answer = httpx.post(f"{slack.api_url}chat.postMessage", data=form).json()
    assert answer["error"] == "invalid_blocks_format"


def test_ordered_faults_happen_as_often_as_ordered(slack: SlackStandIn, client: WebClient) -> None:
    slack.faults.add("auth.test", error="fatal_error")
    assert error_of(client.auth_test) == "fatal_error"
    assert client.auth_test()["ok"]


def test_a_rate_limit_is_retried_by_the_sdk(slack: SlackStandIn, client: WebClient) -> None:
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    slack.faults.add("chat.postMessage", status=429, retry_after=0)
    client.chat_postMessage(channel=SECURITY, text="At last")
    assert [m.text for m in slack.messages("#security")] == ["At last"]


def test_a_dropped_connection_may_or_may_not_have_posted(slack: SlackStandIn, client: WebClient) -> None:
    client.retry_handlers.clear()
    for fault, posted in (("drop", 0), ("drop_after", 1)):
        slack.faults.add("chat.postMessage", **{fault: True})
        with pytest.raises((OSError, http.client.HTTPException)):
            client.chat_postMessage(channel=SECURITY, text="Perhaps")
        assert len(slack.messages("#security")) == posted


def test_an_answer_that_comes_too_late_may_or_may_not_have_posted(
    slack: SlackStandIn, client: WebClient
) -> None:
    client.retry_handlers.clear()
    client.timeout = 1
    for fault, posted in (({"delay_s": 2.0, "drop": True}, 0), ({"late_s": 2.0}, 1)):
        slack.faults.add("chat.postMessage", **fault)
        with pytest.raises(TimeoutError):
            client.chat_postMessage(channel=SECURITY, text="Perhaps")
        assert len(slack.messages("#security")) == posted


def test_wait_for_sees_what_happens_and_gives_up(slack: SlackStandIn, client: WebClient) -> None:
    client.chat_postMessage(channel=SECURITY, text="Here")
    assert slack.wait_for(lambda: slack.messages("#security"))[0].text == "Here"
    with pytest.raises(TimeoutError):
        slack.wait_for(lambda: slack.messages("#general"), timeout_s=0.01)
    assert [call.method for call in slack.calls_of("chat.postMessage")] == ["chat.postMessage"]
