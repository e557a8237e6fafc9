"""The demo page in a real browser, in front of a tiny real Bolt app: what a visitor does first."""

import logging
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.sandbox import Command, PageSetup, Panel, PanelAction, PanelRow, SlackStandIn, TourStep
from tests.browser.patience import PATIENCE_S, give_patience

pytestmark = pytest.mark.browser

Json: TypeAlias = dict[str, Any]
SECURITY = "C0SECURITY"
HOSTILE = "<img src=x onerror=alert(1)>"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, words: str, **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(words), **more}


def option(words: str, value: str) -> Json:
    return {"text": plain(words), "value": value}


CONFIRM = {
    "title": plain("Approve this change?"),
    "text": mrkdwn("*Block public access* on `northwind-customer-exports` runs at once."),
    "confirm": plain("Approve"),
    "deny": plain("Not now"),
}
CARD: list[Json] = [
    {"type": "header", "text": plain(":lock: Block public access")},
    {
        "type": "section",
        "text": mrkdwn(
            "<@U0ANA> asks <!subteam^S0SEC> to fix *1 bucket* in _production_: `northwind-customer-exports` ~soon~\n"
            "> It holds customer data.\nSee <https://docs.example/finding|the finding> or <#C0GENERAL>; "
            "expires <!date^1795500000^{date_short_pretty} at {time}|later>. :warning: &lt;not a tag&gt;"
        ),
        "accessory": {
            "type": "overflow",
            "action_id": "more",
            "options": [option("Show the plan", "plan"), option("Mute", "mute")],
        },
    },
    {
        "type": "section",
        "fields": [
            mrkdwn("*Account*\n123456789012"),
            mrkdwn("*Region*\neu-central-1"),
            mrkdwn("*Severity*\n:red_circle: Critical"),
            mrkdwn("*Approvals*\n0 of 1"),
        ],
    },
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "decision",
        "elements": [
            button("approve", "Approve", style="primary", value="x1", confirm=CONFIRM),
            button("reject", "Reject …", style="danger", value="x1"),
            button("details", "Details", value="x1"),
            {
                "type": "external_select",
                "action_id": "playbook",
                "min_query_length": 0,
                "placeholder": plain("Find a playbook"),
            },
        ],
    },
    {"type": "context", "elements": [mrkdwn("Execution `x1` · environment *demo*")]},
]


def raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


SHOWCASE: list[Json] = [
    {"type": "markdown", "text": "## Findings\n\n- **two** critical\n- one *high*\n\n1. first\n2. second"},
    {
        "type": "data_table",
        "caption": "Open findings",
        "page_size": 2,
        "rows": [
            [raw("Finding"), raw("Severity"), raw("Resources")],
            *[
                [raw(name), raw(severity), {"type": "raw_number", "value": n, "text": str(n)}]
                for n, (name, severity) in enumerate(
                    [("Public bucket", "Critical"), ("Open port 22", "High"), ("Old key", "Medium")], 1
                )
            ],
        ],
    },
    {"type": "table", "rows": [[raw("Key"), raw("Value")], [raw("mode"), raw("dry run")]]},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "Rich ", "style": {"bold": True}},
                    {"type": "user", "user_id": "U0OMAR"},
                    {"type": "emoji", "name": "tada"},
                ],
            },
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "aws s3 ls"}]},
        ],
    },
    {"type": "image", "image_url": "https://charts.example/a.png", "alt_text": "A chart of findings by week"},
    {
        "type": "section",
        "text": mrkdwn("Format"),
        "accessory": {
            "type": "static_select",
            "action_id": "format",
            "options": [option("JSON", "json"), option("CSV", "csv")],
        },
    },
    {"type": "section", "text": plain(HOSTILE)},
]


def labelled(block_id: str, label: str, element: Json, **more: object) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element, **more}


FORM: Json = {
    "type": "modal",
    "callback_id": "reject",
    "title": plain("Reject the change"),
    "submit": plain("Reject"),
    "close": plain("Back"),
    "blocks": [
        {"type": "section", "text": mrkdwn("Rejecting *Block public access*.")},
        labelled(
            "reason",
            "Reason",
            {"type": "plain_text_input", "action_id": "text", "multiline": True},
            hint=plain("The requester sees this."),
        ),
        labelled(
            "severity",
            "Risk you accept",
            {
                "type": "radio_buttons",
                "action_id": "risk",
                "options": [option("None", "none"), option("Low", "low")],
            },
            optional=True,
        ),
        labelled(
            "instead",
            "Run instead",
            {"type": "external_select", "action_id": "playbook", "min_query_length": 0},
            optional=True,
        ),
    ],
}
HOME: Json = {
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("Waiting for you")},
        {
            "type": "section",
            "text": mrkdwn("*Block public access*"),
            "accessory": button("details", "Details"),
        },
    ],
}


def tiny_bot(client: WebClient) -> App:  # noqa: C901 - listeners are defined where Bolt wants them
    """A Bolt App with one of everything."""
    logger = logging.getLogger("tiny-page-bot")
    logger.setLevel(logging.CRITICAL)
    app = App(client=client, logger=logger)

    @app.command("/report")
    def report(ack: Ack, command: Json) -> None:
        ack(f"You asked for: {command['text'] or 'help'}")
        if command["text"] == "export":
            page = b"<!doctype html><title>Report</title><h1>Report of findings</h1><script>document.title='ran'</script>"
            client.files_upload_v2(
                channel=SECURITY, filename="report.html", title="Weekly report", content=page
            )

    @app.action("approve")
    def approve(ack: Ack, body: Json) -> None:
        ack()
        words = f":white_check_mark: Approved by <@{body['user']['id']}>"
        done = [*CARD[:3], {"type": "context", "elements": [mrkdwn(words)]}]
        client.chat_update(channel=SECURITY, ts=body["message"]["ts"], text="Approved", blocks=done)
        client.chat_postMessage(channel=SECURITY, thread_ts=body["message"]["ts"], text="1 of 1 done")

    @app.action("reject")
    def reject(ack: Ack, body: Json) -> None:
        client.views_open(trigger_id=body["trigger_id"], view=FORM)
        ack()

    @app.view("reject")
    def rejected(ack: Ack, view: Json, body: Json) -> None:
        words = view["state"]["values"]["reason"]["text"]["value"]
        if len(words) < 10:
            ack(response_action="errors", errors={"reason": "At least ten characters, please."})
            return
        ack()
        instead = view["state"]["values"]["instead"]["playbook"]["selected_option"]["value"]
        told = f"Rejected: {words}; run {instead}"
        client.chat_postEphemeral(channel=SECURITY, user=body["user"]["id"], text=told)

    @app.action("details")
    def details(ack: Ack, body: Json) -> None:
        ack()
        client.chat_postEphemeral(channel=SECURITY, user=body["user"]["id"], text="Here are the details.")

    @app.options("playbook")
    def playbooks(ack: Ack, payload: Json) -> None:
        names = [
            n for n in ("Block public access", "Rotate access key") if payload["value"].lower() in n.lower()
        ]
        ack(options=[option(name, name.lower().replace(" ", "-")) for name in names])

    @app.action(re.compile("playbook|format|more"))
    def picked(ack: Ack, action: Json) -> None:
        ack()
        client.chat_postMessage(channel=SECURITY, text=f"Picked {action['selected_option']['value']}")

    @app.event("app_home_opened")
    def opened(event: Json) -> None:
        client.views_publish(user_id=event["user"], view=HOME)

    return app


class Cloud:
    """A panel's source that a button changes."""

    def __init__(self) -> None:
        self.value = "not set"

    def rows(self) -> list[PanelRow]:
        tone = "bad" if self.value == "not set" else "good"
        return [
            PanelRow("northwind-customer-exports", "BlockPublicAcls", self.value, tone),  # type: ignore[arg-type]
            PanelRow("northwind-customer-exports", "Versioning", "Enabled", "neutral"),
        ]

    def change(self) -> None:
        self.value = "on"


def page_setup() -> PageSetup:
    cloud = Cloud()
    action = PanelAction("meddle", "Someone changes this bucket", "As if in the console.", cloud.change)
    return PageSetup(
        commands=(
            Command("/report", "Export and mail reports", "[list | export]", ("list", "export", "email")),
            Command("/playbook", "Request a fix", "[list | run]", ("list", "run")),
        ),
        panels=(
            Panel("aws", "AWS account 123456789012 · what the cloud looks like now", cloud.rows, (action,)),
        ),
        tour=(
            TourStep(
                "See the findings", "Ana lists what the scanner found.", "ana", "/report list", "#security"
            ),
            TourStep("Approve the fix", "Omar signs for it.", "omar"),
            TourStep("Try as an outsider", "Otto may not approve.", "otto", "/playbook run"),
        ),
    )


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn.start(page=page_setup()) as standin:
        bolt = tiny_bot(WebClient(standin.workspace.bot_token, base_url=standin.api_url))
        handler = SocketModeHandler(bolt, standin.workspace.app_token, logger=bolt.logger)
        handler.connect()  # type: ignore[no-untyped-call]
        standin.wait_for(lambda: standin.sockets.connections, PATIENCE_S)
        yield standin
        handler.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def demo(slack: SlackStandIn, page: Page) -> Page:
    slack.reset()
    page.goto(slack.page_url)
    page.wait_for_selector("#channel-head h1")
    return page


def post(slack: SlackStandIn, blocks: list[Json], text: str = "A change needs your approval") -> str:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    return str(client.chat_postMessage(channel=SECURITY, text=text, blocks=blocks)["ts"])


def become(page: Page, person: str) -> None:
    page.click(f"#as-{person}")
    page.wait_for_selector(f"#as-{person}[aria-checked=true]")


def test_approve_with_a_confirm_dialog(slack: SlackStandIn, demo: Page) -> None:
    ts = post(slack, CARD)
    become(demo, "U0OMAR")
    demo.get_by_role("button", name="Approve", exact=True).click()
    demo.wait_for_selector("#confirm[open]")
    demo.locator("#confirm").get_by_role("button", name="Not now").click()
    assert not slack.calls_of("chat.update")
    demo.get_by_role("button", name="Approve", exact=True).click()
    demo.locator("#confirm").get_by_role("button", name="Approve").click()
    demo.get_by_text("Approved by @omar").wait_for()
    demo.get_by_text("1 reply").click()
    demo.locator("#thread").get_by_text("1 of 1 done").wait_for()
    demo.locator("#thread textarea").fill("Thank you")
    demo.locator("#thread textarea").press("Enter")
    demo.locator("#thread").get_by_text("Thank you").wait_for()
    assert [m.text for m in slack.thread("#security", ts)][1:] == ["1 of 1 done", "Thank you"]


def test_a_modal_with_an_inline_error_and_a_private_answer(slack: SlackStandIn, demo: Page) -> None:
    post(slack, CARD)
    become(demo, "U0OMAR")
    demo.get_by_role("button", name="Reject …").click()
    demo.wait_for_selector("#view[open]")
    demo.get_by_label("Reason").fill("no")
    demo.get_by_label("Low").check()
    demo.get_by_label("Run instead").fill("rot")
    demo.get_by_role("option", name="Rotate access key").click()
    demo.get_by_role("button", name="Reject", exact=True).click()
    demo.get_by_text("At least ten characters, please.").wait_for()
    assert demo.get_by_label("Low").is_checked()
    expect(demo.get_by_label("Run instead")).to_have_value("Rotate access key")
    demo.get_by_label("Reason").fill("The bucket serves our website")
    demo.get_by_role("button", name="Reject", exact=True).click()
    demo.get_by_text("Only visible to you").wait_for()
    expect(demo.locator("article.private")).to_contain_text("run rotate-access-key")
    slack.wait_for(lambda: slack.views("omar") == (), PATIENCE_S)
    become(demo, "U0ANA")
    assert demo.get_by_text("Only visible to you").count() == 0


def test_what_is_pressed_stays_until_it_is_let_go(slack: SlackStandIn, demo: Page) -> None:
    ts = post(slack, CARD)
    demo.get_by_role("button", name="Reject …").hover()
    demo.mouse.down()
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    newer = [*CARD[:-1], {"type": "context", "elements": [mrkdwn("Asked for once more")]}]
    with demo.expect_response(lambda answer: "/page/state" in answer.url and "once more" in answer.text()):
        client.chat_update(channel=SECURITY, ts=ts, text="Asked for once more", blocks=newer)
    demo.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    demo.mouse.up()
    demo.wait_for_selector("#view[open]")
    demo.get_by_text("Asked for once more").wait_for()


def test_a_window_that_is_closed_twice_closes_once(slack: SlackStandIn, demo: Page) -> None:
    post(slack, CARD)
    demo.get_by_role("button", name="Reject …").click()
    demo.locator("#view[open] textarea").wait_for()
    demo.evaluate(
        "() => [...document.querySelectorAll('#view .icon-button')].forEach((x) => { x.click(); x.click(); })"
    )
    expect(demo.locator("#view[open]")).to_have_count(0)
    assert [view.id for person in ("ana", "omar") for view in slack.views(person)] == []


def test_every_kind_of_block_is_drawn_and_nothing_runs(slack: SlackStandIn, demo: Page) -> None:
    post(slack, SHOWCASE, "One of each")
    demo.get_by_text(HOSTILE).wait_for()
    demo.get_by_text("Public bucket").wait_for()
    assert demo.get_by_text("Old key").count() == 0
    demo.get_by_role("button", name="Later rows").click()
    demo.get_by_text("Old key").wait_for()
    demo.get_by_role("combobox", name="Choose").select_option("csv")
    demo.get_by_text("Picked csv").wait_for()


def test_an_external_select_searches(slack: SlackStandIn, demo: Page) -> None:
    post(slack, CARD)
    demo.get_by_placeholder("Find a playbook").fill("rot")
    demo.get_by_role("option", name="Rotate access key").wait_for()
    demo.get_by_placeholder("Find a playbook").press("ArrowDown")
    demo.get_by_placeholder("Find a playbook").press("Enter")
    demo.get_by_text("Picked rotate-access-key").wait_for()


def test_a_command_is_completed_sent_and_recalled(slack: SlackStandIn, demo: Page) -> None:
    field = demo.locator("#composer-text")
    field.press_sequentially("/rep")
    demo.locator("#completions").get_by_text("Export and mail reports").wait_for()
    field.press("Tab")
    field.press_sequentially("ex")
    field.press("Enter")
    expect(field).to_have_value("/report export ")
    field.press("Enter")
    demo.get_by_text("You asked for: export").wait_for()
    field.press("ArrowUp")
    expect(field).to_have_value("/report export")
    slack.wait_for(slack.files, PATIENCE_S)
    assert slack.files()[0].name == "report.html"


def test_a_file_opens_in_a_sandbox(slack: SlackStandIn, demo: Page) -> None:
    slack.command(user="ana", channel="#security", text="/report export")
    demo.get_by_text("Weekly report").wait_for()
    with demo.context.expect_page() as opened:
        demo.get_by_role("link", name="Open Weekly report").click()
    report = opened.value
    report.get_by_role("heading", name="Report of findings").wait_for()
    assert report.evaluate("window.origin") == "null"


def test_the_cloud_panel_is_live_and_home_works(slack: SlackStandIn, demo: Page) -> None:
    demo.locator("#side").get_by_text("not set").wait_for()
    demo.get_by_role("button", name="Someone changes this bucket").click()
    demo.locator("#side .row.changed", has_text="✓ on").wait_for()
    demo.get_by_role("tab", name="Home").click()
    demo.locator("#side").get_by_role("button", name="Details").click()
    demo.get_by_text("Here are the details.").wait_for()


def test_the_tour_switches_person_and_fills_in(demo: Page) -> None:
    demo.get_by_role("button", name="Try as an outsider").click()
    demo.wait_for_selector("#as-U0OTTO[aria-checked=true]")
    expect(demo.locator("#composer-text")).to_have_value("/playbook run")


def test_a_broken_rule_shows_a_red_banner(slack: SlackStandIn, demo: Page) -> None:
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    client.api_call("api.test")
    body = {"channel": SECURITY, "text": "Hello <!channel>"}
    token = {"Authorization": f"Bearer {slack.workspace.bot_token}"}
    httpx.post(f"{slack.api_url}chat.postMessage", json=body, headers=token)
    demo.locator("#violations").get_by_text("pings the whole channel").wait_for()


@pytest.mark.parametrize(("name", "width", "scheme"), [("phone", 390, "light"), ("dark", 1440, "dark")])
def test_it_fits_a_phone_and_the_dark(
    slack: SlackStandIn, chromium: Browser, name: str, width: int, scheme: str
) -> None:
    slack.reset()
    post(slack, CARD)
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    give_patience(context)
    page = context.new_page()
    page.goto(slack.page_url)
    page.get_by_text("Block public access").first.wait_for()
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    context.close()
    assert overflow <= 0
