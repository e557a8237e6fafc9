"""Pictures that blocks name by `slack_file`, from the upload to the deletion."""

import json
import math

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ImageBlock
from slack_sdk.models.blocks.basic_components import SlackFile

from bot.sandbox import SlackStandIn
from tests.unit.bot.sandbox.sandbox_kit import Json, modal

PNG = b"\x89PNG\r\n\x1a\n"
SECURITY = "C0SECURITY"
REFUSAL = "[ERROR] invalid slack file [json-pointer:{}/blocks/0/slack_file]"


def announce(client: WebClient, name: str = "trend.png") -> str:
    place = client.files_getUploadURLExternal(filename=name, length=len(PNG))
    httpx.post(str(place["upload_url"]), content=PNG).raise_for_status()
    return str(place["file_id"])


def upload(client: WebClient, name: str = "trend.png") -> str:
    file = announce(client, name)
    client.files_completeUploadExternal(files=[{"id": file}])
    return file


def home(file: str) -> Json:
    picture = ImageBlock(alt_text="It falls", slack_file=SlackFile(id=file))
    return {"type": "home", "blocks": [picture.to_dict()]}


def publish(client: WebClient, file: str) -> str:
    """Return Slack's words of refusal, none where it takes the home."""
    try:
        client.views_publish(user_id="U0ANA", view=home(file))
    except SlackApiError as error:
        return str(error.response["response_metadata"]["messages"])
    return ""


def test_a_picture_is_shown_once_it_was_processed(slack: SlackStandIn, client: WebClient) -> None:
    slack.state.processing_s = math.inf
    file = upload(client)
    assert client.files_info(file=file)["file"]["mimetype"] == ""
    assert publish(client, file) == str([REFUSAL.format("/view")])
    assert slack.home("ana") is None
    slack.state.processing_s = 0
    assert client.files_info(file=file)["file"]["mimetype"] == "image/png"
    assert publish(client, file) == ""
    assert "It falls" in slack.home("ana").words  # type: ignore[union-attr]


def test_it_takes_a_moment_by_itself(slack: SlackStandIn, client: WebClient) -> None:
    now = 1_000.0
    slack.state.now = lambda: now
    file = upload(client)
    assert client.files_info(file=file)["file"]["mimetype"] == ""
    now += 1
    assert client.files_info(file=file)["file"]["mimetype"] == "image/png"


@pytest.mark.parametrize("how", ["unknown", "announced alone", "no picture", "somebody else's", "deleted"])
def test_no_other_file_is_one(slack: SlackStandIn, client: WebClient, how: str) -> None:
    slack.state.processing_s = 0
    if how == "unknown":
        file = "F0NOBODY"
    elif how == "announced alone":
        file = announce(client)
    elif how == "no picture":
        file = upload(client, "report.html")
    elif how == "somebody else's":
        file = slack.share("ana", "#security", name="cat.png", content=PNG).files[0]
    else:
        file = upload(client)
        assert publish(client, file) == ""
        client.files_delete(file=file)
    assert publish(client, file) == str([REFUSAL.format("/view")])


@pytest.mark.parametrize("method", ["post", "private", "update", "open", "upload"])
def test_nothing_gets_around_it(slack: SlackStandIn, client: WebClient, method: str) -> None:
    said = client.chat_postMessage(channel=SECURITY, text="How it goes")
    where: Json = {"channel": SECURITY, "text": "How it goes", "blocks": home("F0NOBODY")["blocks"]}
    shared = [{"id": upload(client)}]
    calls = {
        "post": lambda: client.chat_postMessage(**where),
        "private": lambda: client.chat_postEphemeral(user="U0ANA", **where),
        "update": lambda: client.chat_update(ts=said["ts"], **where),
        "open": lambda: client.views_open(trigger_id="none", view=modal(*where["blocks"])),
        "upload": lambda: client.files_completeUploadExternal(
            files=shared, channel_id=SECURITY, blocks=json.dumps(where["blocks"])
        ),
    }
    with pytest.raises(SlackApiError):
        calls[method]()
    pointer = "/view" if method == "open" else ""
    assert [violation.message for violation in slack.violations] == [REFUSAL.format(pointer)]


def test_a_file_is_deleted_by_its_owner_alone_and_once(slack: SlackStandIn, client: WebClient) -> None:
    theirs = slack.share("ana", "#security", name="cat.png", content=PNG).files[0]
    mine = upload(client)
    client.files_delete(file=mine)
    for file, refusal in ((theirs, "cant_delete_file"), (mine, "file_not_found")):
        with pytest.raises(SlackApiError) as refused:
            client.files_delete(file=file)
        assert refused.value.response["error"] == refusal
    assert [file.id for file in slack.files()] == [theirs]
