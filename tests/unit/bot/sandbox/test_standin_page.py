"""The demo page's server: who gets in, what each person sees, and what a click does."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.sandbox import Command, PageSetup, Panel, PanelAction, PanelRow, SlackStandIn, TourStep
from tests.endings import Later
from tests.unit.bot.sandbox.conftest import Serve
from tests.unit.bot.sandbox.sandbox_kit import button, section

SECURITY = "C0SECURITY"
switches: list[str] = []


def read_panel() -> list[PanelRow]:
    if len(switches) > 1:
        raise ValueError("no cloud")
    return [PanelRow("bucket", "BlockPublicAcls", "on" if switches else "not set", "bad")]


SETUP = PageSetup(
    commands=(Command("/report", "Reports", "[list]", ("list",)),),
    panels=(
        Panel(
            "aws",
            "Cloud now",
            read_panel,
            (PanelAction("flip", "Flip", "Now", lambda: switches.append("x")),),
        ),
    ),
    tour=(TourStep("Look", "First", "ana", "/report list", "#security"),),
)


@pytest.fixture
def slack(later: Later) -> Iterator[SlackStandIn]:
    switches.clear()
    standin = SlackStandIn.start(page=SETUP)
    yield standin
    later(standin.stop)


@pytest.fixture
def visitor(slack: SlackStandIn) -> Iterator[httpx.Client]:
    """A browser that opened the printed address."""
    with httpx.Client(base_url=slack.base_url, follow_redirects=True) as browser:
        assert browser.get(slack.page_url).status_code == 200
        yield browser


def test_the_token_becomes_a_strict_cookie(slack: SlackStandIn) -> None:
    answer = httpx.get(slack.page_url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("path", ["/", "/page/state", "/page/events", "/static/app.js", "/files/F1"])
def test_without_the_token_nothing_is_shown(slack: SlackStandIn, path: str) -> None:
    assert httpx.get(f"{slack.base_url}{path}").status_code == 403
    assert httpx.get(f"{slack.base_url}{path}?token=guess").status_code == 403


@pytest.mark.parametrize("path", ["/", "/page/state", "/files/F1"])
def test_another_host_name_is_refused(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path, headers={"Host": "evil.example"}).status_code == 421
    assert visitor.get(path, headers={"Host": "127.0.0.1:1"}).status_code == 421


def test_a_foreign_origin_is_refused(visitor: httpx.Client) -> None:
    body = {"as": "U0ANA", "channel": SECURITY, "text": "Hello"}
    assert visitor.post("/page/say", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    assert visitor.post("/page/say", json=body, headers={"Origin": "null"}).status_code == 403
    own = f"http://{visitor.base_url.host}:{visitor.base_url.port}"
    assert visitor.post("/page/say", json=body, headers={"Origin": own}).status_code == 200


def test_a_plain_form_cannot_act(slack: SlackStandIn, visitor: httpx.Client) -> None:
    assert visitor.post("/page/say", data={"as": "U0ANA", "text": "Hi"}).status_code == 415
    assert slack.messages("#security") == ()


def test_the_policy_allows_no_inline_code_and_no_other_site(visitor: httpx.Client) -> None:
    answer = visitor.get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = answer.text
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize("name", ["..%2Fstandin.py", "__init__.py", "nothing.js"])
def test_only_the_pages_own_files_are_served(visitor: httpx.Client, name: str) -> None:
    assert visitor.get(f"/static/{name}").status_code == 404


def test_a_file_is_shown_in_a_sandbox_and_downloads_with_its_name(
    slack: SlackStandIn, visitor: httpx.Client
) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    ident = client.files_upload_v2(channel=SECURITY, filename="re port.html", content="<h1>Hi</h1>")["file"][
        "id"
    ]
    shown = visitor.get(f"/files/{ident}")
    assert shown.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert shown.headers["content-type"].startswith("text/html")
    kept = visitor.get(f"/files/{ident}?download")
    assert kept.headers["content-disposition"] == 'attachment; filename="re port.html"'
    bot = {"Authorization": f"Bearer {slack.workspace.bot_token}"}
    assert httpx.get(f"{slack.base_url}/files/{ident}", headers=bot).text == "<h1>Hi</h1>"
    assert httpx.get(f"{slack.base_url}/page/state", headers=bot).status_code == 403


def test_a_csv_is_shown_as_text(slack: SlackStandIn, visitor: httpx.Client) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    ident = client.files_upload_v2(channel=SECURITY, filename="a.csv", content="a,b")["file"]["id"]
    assert visitor.get(f"/files/{ident}").headers["content-type"].startswith("text/plain")


def test_each_person_gets_their_own_picture(slack: SlackStandIn, visitor: httpx.Client) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    client.chat_postMessage(channel=SECURITY, text="For all")
    client.chat_postEphemeral(channel=SECURITY, user="U0ANA", text="For Ana")
    client.chat_postMessage(channel="U0OMAR", text="For Omar")

    def words(person: str) -> list[str]:
        picture = visitor.get("/page/state", params={"as": person}).json()
        assert picture["me"] == person
        return [m["text"] for messages in picture["messages"].values() for m in messages]

    assert words("U0ANA") == ["For all", "For Ana"]
    assert words("U0OMAR") == ["For all", "For Omar"]
    assert words("U0OTTO") == ["For all"]


def test_only_the_cast_can_act(visitor: httpx.Client) -> None:
    body = {"as": "U0PRIYA", "channel": SECURITY, "text": "Hi"}
    assert visitor.post("/page/say", json=body).status_code == 400
    assert visitor.get("/page/state", params={"as": "U0PRIYA"}).json()["me"] == "U0ANA"


def test_a_click_on_nothing_is_explained(slack: SlackStandIn, visitor: httpx.Client) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    blocks = [section("Hi", accessory=button("go"))]
    ts = client.chat_postMessage(channel=SECURITY, text="Press it", blocks=blocks)["ts"]
    click = {"as": "U0ANA", "target": ts, "action_id": "stop"}
    assert "there are: go" in visitor.post("/page/click", json=click).json()["error"]
    click["action_id"] = "go"
    assert visitor.post("/page/click", json=click).json()["error"] == "dispatch_failed"


def test_panels_are_read_changed_and_forgiven(visitor: httpx.Client) -> None:
    def rows() -> list[dict[str, str]]:
        found: list[dict[str, str]] = visitor.get("/page/state").json()["panels"][0]["rows"]
        return found

    flip = {"as": "U0ANA", "panel": "aws", "action": "flip"}
    assert rows()[0]["value"] == "not set"
    visitor.post("/page/panel", json=flip)
    assert rows()[0]["value"] == "on"
    visitor.post("/page/panel", json=flip)
    assert (rows()[0]["group"], rows()[0]["tone"]) == ("Cannot be read", "bad")
    assert visitor.post("/page/panel", json=flip | {"action": "none"}).status_code == 400


def test_the_script_holds_commands_and_tour(visitor: httpx.Client) -> None:
    script = visitor.get("/page/script").json()
    assert script["commands"][0]["words"] == ["list"]
    assert (script["tour"][0]["person"], script["tour"][0]["channel"]) == ("U0ANA", SECURITY)


def test_a_permalink_leads_to_the_page(slack: SlackStandIn, visitor: httpx.Client) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    ts = client.chat_postMessage(channel=SECURITY, text="Look")["ts"]
    link = client.chat_getPermalink(channel=SECURITY, message_ts=ts)["permalink"]
    answer = visitor.get(link, follow_redirects=False)
    assert answer.headers["location"] == f"/#{SECURITY}/{ts}"


def test_changes_are_streamed(slack: SlackStandIn, visitor: httpx.Client) -> None:
    with visitor.stream("GET", "/page/events") as stream:
        lines = (line for line in stream.iter_lines() if line)
        first = next(lines)
        slack.say("ana", "#security", "News")
        assert next(lines) != first


def test_it_listens_on_this_machine_only(slack: SlackStandIn) -> None:
    assert slack.base_url.startswith("http://127.0.0.1:")


def test_a_messages_menu_reaches_the_bot(
    slack: SlackStandIn, visitor: httpx.Client, serve: Serve, bolt: App
) -> None:
    heard: list[dict[str, Any]] = []

    def on_shortcut(ack: Ack, body: dict[str, Any]) -> None:
        heard.append(body)
        ack()

    bolt.shortcut({"type": "message_action", "callback_id": "look"})(on_shortcut)
    serve(bolt)
    message = slack.share("ana", "#security", name="scan.json", content=b"{}", text="Look")
    body = {"as": "U0ANA", "target": message.ts, "callback_id": "look"}
    assert visitor.post("/page/shortcut", json=body).json()["error"] == ""
    (payload,) = heard
    assert (payload["type"], payload["callback_id"]) == ("message_action", "look")
    assert payload["message_ts"] == message.ts
    assert [each["name"] for each in payload["message"]["files"]] == ["scan.json"]
    assert visitor.post("/page/shortcut", json=body | {"target": "1.1"}).status_code == 400
