"""Who people are, as a real client reads it from the stand-in; every silence is a no."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from audit.actor import Actor
from audit.errors import RefusedError
from bot.sandbox import DEFAULT_WORKSPACE, SlackStandIn
from handlers.directory import SlackDirectory
from remediation.ports import Person

SEC = frozenset({"S0SEC"})


def actor(slack_id: str, team: str = "T0DEMO") -> Actor:
    return Actor(workspace=team, slack_id=slack_id)


@pytest.fixture
def directory(slack: SlackStandIn) -> SlackDirectory:
    return SlackDirectory(WebClient(slack.workspace.bot_token, base_url=slack.api_url), timeout_s=2)


def test_a_member_with_email_and_groups(directory: SlackDirectory) -> None:
    person = directory.look_up(actor("U0OMAR"), groups=SEC)
    assert person.actor == Actor(workspace="T0DEMO", slack_id="U0OMAR", email="omar@northwind.example")
    assert person.groups == SEC
    assert marks(person) == []


def test_who_has_an_answer_steps_back_once(slack: SlackStandIn) -> None:
    stepped: list[str] = []
    client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
    directory = SlackDirectory(client, timeout_s=2, give_way=lambda: stepped.append("back"))
    directory.look_up(actor("U0OMAR"), groups=SEC)
    assert stepped == ["back"]


def test_a_member_outside_the_group(directory: SlackDirectory) -> None:
    assert directory.look_up(actor("U0OTTO"), groups=SEC).groups == frozenset()


@pytest.mark.parametrize(
    ("slack_id", "team", "mark"),
    [
        ("U0GONE", "T0DEMO", "is_deleted"),
        ("U0ROBOT", "T0DEMO", "is_bot"),
        ("U0GUEST", "T0DEMO", "is_guest"),
        ("U0OTHER", "T0OTHER", "is_stranger"),
        ("U0OMAR", "T0OTHER", "is_stranger"),
    ],
)
def test_who_is_no_full_living_member_is_marked(
    directory: SlackDirectory, slack_id: str, team: str, mark: str
) -> None:
    assert getattr(directory.look_up(actor(slack_id, team), groups=SEC), mark) is True


def test_a_member_of_another_workspace_is_a_stranger_though_slack_does_not_say_so() -> None:
    other = replace(DEFAULT_WORKSPACE.person("omar"), id="U0PETE", name="pete", team_id="T0OTHER")
    workspace = replace(DEFAULT_WORKSPACE, people=(*DEFAULT_WORKSPACE.people, other))
    with SlackStandIn.start(workspace) as slack:
        client = WebClient(slack.workspace.bot_token, base_url=slack.api_url)
        assert SlackDirectory(client).look_up(actor("U0PETE"), groups=frozenset()).is_stranger


class Saying(http.server.BaseHTTPRequestHandler):
    """Answers every question with what the test has it say about the user."""

    user: Mapping[str, object] = {}

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"ok": True, "team_id": "T0DEMO", "user": self.user}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the server's own spelling

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


Ask = Callable[..., Person]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Return what looks up a person of whom Slack says what the test wants it to."""
    handler = type("Handler", (Saying,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        directory = SlackDirectory(
            WebClient("xoxb-x", base_url=f"http://127.0.0.1:{server.server_port}/api/")
        )

        def look_up(user: Mapping[str, object], of: Actor) -> Person:
            handler.user = user  # type: ignore[attr-defined]
            return directory.look_up(of, groups=frozenset())

        yield look_up
        server.shutdown()
        thread.join()


OMAR = {
    "id": "U0OMAR",
    "team_id": "T0DEMO",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
    "profile": {"email": "omar@northwind.example"},
}
ABSENT = object()


def marks(person: Person) -> list[str]:
    return [m for m in ("is_deleted", "is_bot", "is_guest", "is_stranger") if getattr(person, m)]


def test_what_slack_need_not_say_may_be_missing(ask: Ask) -> None:
    assert marks(ask(OMAR, actor("U0OMAR"))) == []


@pytest.mark.parametrize("value", [ABSENT, None, 0, "", "false", True])
@pytest.mark.parametrize(
    ("flag", "mark"),
    [
        ("deleted", "is_deleted"),
        ("is_bot", "is_bot"),
        ("is_restricted", "is_guest"),
        ("is_ultra_restricted", "is_guest"),
    ],
)
def test_what_slack_always_says_must_be_a_plain_no(ask: Ask, flag: str, mark: str, value: object) -> None:
    user = {name: said for name, said in {**OMAR, flag: value}.items() if said is not ABSENT}
    assert marks(ask(user, actor("U0OMAR"))) == [mark]


@pytest.mark.parametrize(("flag", "mark"), [("is_stranger", "is_stranger"), ("is_workflow_bot", "is_bot")])
@pytest.mark.parametrize("value", [True, None, "no"])
def test_what_slack_says_sometimes_counts_when_it_is_said(
    ask: Ask, flag: str, mark: str, value: object
) -> None:
    assert marks(ask({**OMAR, flag: value}, actor("U0OMAR"))) == [mark]


def test_somebody_at_a_shell_is_found_by_address(directory: SlackDirectory) -> None:
    person = directory.look_up(Actor(email=" Omar@Northwind.example ", origin="cli"), groups=SEC)
    assert person.actor == Actor(workspace="T0DEMO", slack_id="U0OMAR", email="omar@northwind.example")
    assert person.groups == SEC
    assert marks(person) == []


@pytest.mark.parametrize("email", ["nobody@northwind.example", "dana@northwind.example"])
def test_an_address_of_nobody_is_refused_and_named(directory: SlackDirectory, email: str) -> None:
    with pytest.raises(
        RefusedError, match=f"^{email} is nobody in this workspace, so nobody can be the second"
    ):
        directory.look_up(Actor(email=email, origin="cli"), groups=SEC)


def test_an_address_that_slack_may_not_look_for_is_a_no(
    directory: SlackDirectory, slack: SlackStandIn
) -> None:
    slack.faults.add("users.lookupByEmail", error="missing_scope")
    with pytest.raises(RefusedError, match="manifest.yml"):
        directory.look_up(Actor(email="omar@northwind.example", origin="cli"), groups=SEC)


@pytest.mark.parametrize("user", [{**OMAR, "id": ""}, {**OMAR, "profile": {}}, {}])
def test_an_answer_about_another_address_is_no_answer(ask: Ask, user: Mapping[str, object]) -> None:
    with pytest.raises(RefusedError, match="does not answer"):
        ask(user, Actor(email="omar@northwind.example", origin="cli"))


def test_everything_is_read_anew(directory: SlackDirectory, slack: SlackStandIn) -> None:
    for _ in range(2):
        directory.look_up(actor("U0OMAR"), groups=SEC)
    assert len(slack.calls_of("users.info")) == 2
    assert len(slack.calls_of("usergroups.users.list")) == 2


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list", "auth.test"])
@pytest.mark.parametrize(
    "fault", [{"error": "internal_error"}, {"status": 500}, {"status": 429}, {"drop": True}]
)
def test_what_slack_does_not_say_is_a_no(
    directory: SlackDirectory, slack: SlackStandIn, method: str, fault: dict[str, Any]
) -> None:
    slack.faults.add(method, **fault)
    with pytest.raises(RefusedError, match="nothing was decided"):
        directory.look_up(actor("U0OMAR"), groups=SEC)


@pytest.mark.parametrize(
    ("method", "code", "words"),
    [
        ("usergroups.users.list", "plan_upgrade_required", "has no user groups"),
        ("usergroups.users.list", "missing_scope", "manifest.yml"),
        ("usergroups.users.list", "no_such_subteam", "user group that Slack does not know"),
        ("users.info", "user_not_found", "does not know you"),
    ],
)
def test_a_telling_refusal(
    directory: SlackDirectory, slack: SlackStandIn, method: str, code: str, words: str
) -> None:
    slack.faults.add(method, error=code)
    with pytest.raises(RefusedError, match=words):
        directory.look_up(actor("U0OMAR"), groups=SEC)


def test_nobody_is_looked_up_without_id_and_address(directory: SlackDirectory, slack: SlackStandIn) -> None:
    with pytest.raises(RefusedError):
        directory.look_up(Actor(), groups=SEC)
    assert slack.calls == ()


def test_an_answer_about_somebody_else_is_no_answer(ask: Ask) -> None:
    with pytest.raises(RefusedError):
        ask({**OMAR, "id": "U0EVE"}, actor("U0OMAR"))


def test_a_silent_slack_is_given_up_on() -> None:
    with SlackStandIn.start() as slack:
        client = WebClient(slack.workspace.bot_token, base_url=slack.api_url, timeout=30)
        slack.faults.add("users.info", delay_s=4.0)
        with pytest.raises(RefusedError, match="does not answer"):
            SlackDirectory(client, timeout_s=1).look_up(actor("U0OMAR"), groups=frozenset())
