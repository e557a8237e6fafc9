"""Who people are, as a real client reads it from the stand-in; every silence is a no."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient

from audit.actor import Actor
from audit.errors import RefusedError
from bot.sandbox import DEFAULT_WORKSPACE, SlackStandIn
from handlers.directory import SlackDirectory

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
    marks = ("is_deleted", "is_bot", "is_guest", "is_stranger")
    assert [mark for mark in marks if getattr(person, mark)] == []


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


def test_nobody_is_looked_up_without_an_id(directory: SlackDirectory, slack: SlackStandIn) -> None:
    with pytest.raises(RefusedError):
        directory.look_up(Actor(email="omar@northwind.example"), groups=SEC)
    assert slack.calls == ()


class _Lies(http.server.BaseHTTPRequestHandler):
    """Answers every question with somebody else."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"ok": true, "team_id": "T0DEMO", "user": {"id": "U0EVE", "team_id": "T0DEMO", "deleted": false}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the server's own spelling

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def liar() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Lies) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/"
        server.shutdown()
        thread.join()


def test_an_answer_about_somebody_else_is_no_answer(liar: str) -> None:
    with pytest.raises(RefusedError):
        SlackDirectory(WebClient("xoxb-x", base_url=liar)).look_up(actor("U0OMAR"), groups=frozenset())


def test_a_silent_slack_is_given_up_on() -> None:
    with SlackStandIn.start() as slack:
        client = WebClient(slack.workspace.bot_token, base_url=slack.api_url, timeout=30)
        slack.faults.add("users.info", delay_s=4.0)
        with pytest.raises(RefusedError, match="does not answer"):
            SlackDirectory(client, timeout_s=1).look_up(actor("U0OMAR"), groups=frozenset())
