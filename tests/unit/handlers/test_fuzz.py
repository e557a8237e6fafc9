"""Bad input of every kind, signed as Slack signs: it is refused or answered, and never a surprise.

In this process, through Bolt's own dispatch, against the stand-in: which notes every rule that an answer breaks, a mention of a whole
channel among them.
"""

import copy
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slack_bolt import BoltResponse
from slack_sdk.signature import SignatureVerifier
from structlog.testing import capture_logs

from bot.sandbox import SlackStandIn
from handlers.door import read, refusal
from handlers.vocabulary import COMMANDS
from tests.examples import share
from tests.unit.handlers.house import DOOR, House

Json = dict[str, Any]
QUICK = settings(
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # a failing example takes long to shrink, and says enough as it is
    max_examples=share(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NASTY = st.sampled_from(
    [
        "<!channel>",
        "<!subteam^S0SEC>",
        "&lt;!here&gt;",
        "<@U0OMAR>",
        "x" * 10_000,
        "🦆" * 200,
        "\0\x1b[2J\u202e\ud800",
        "*b* _i_ `c` ```d``` ~s~ > q",
        '"open',
        "'",
        "",
        " ",
        "%_\\",
        "../../etc/passwd",
        "{{7*7}}",
    ]
)
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.just([]), st.just({}), st.just([None]), NASTY
)
ACTIONS = (
    "approve",
    "approve_here",
    "reject",
    "rollback",
    "rollback_here",
    "found_done",
    "found_not_done",
    "try_again",
    "home_review",
    "home_details",
    "home_rollback",
    "batch_approve",
    "batch_changes",
    "batch_choose",
    "batch_reject",
    "batch_rollback",
    "batch_refuse_rollback",
)
FORMS = (
    "reject_form",
    "approve_form",
    "rollback_form",
    "report_form",
    "playbook_form",
    "batch_choose_form",
    "batch_reject_form",
    "batch_approve_form",
)
PICKERS = ("pick_report", "pick_playbook", "pick_finding")


@pytest.fixture(scope="module")
def the_house() -> Iterator[Callable[[], House]]:
    with SlackStandIn.start() as standin:
        house = House(standin)
        house.ingest()
        where = {"channel_id": "C0SECURITY", "channel_name": "security", "trigger_id": "1"}
        house.put_command("/playbook", {"text": f"run CLOSE-DOOR {DOOR.handle}", **where})
        house.work()
        yield (
            lambda: house
        )  # a house is as long as a workspace, where a test that fails prints what it was given
        assert standin.violations == ()


def post(house: House, body: str, *, content_type: str = "application/x-www-form-urlencoded") -> BoltResponse:
    """Hand a signed request to Bolt, as the web server does."""
    stamp = str(int(time.time()))
    signature = SignatureVerifier(house.slack.workspace.signing_secret).generate_signature(
        timestamp=stamp, body=body
    )
    headers = {
        "content-type": [content_type],
        "x-slack-request-timestamp": [stamp],
        "x-slack-signature": [str(signature)],
    }
    asked = read(body=body, query="", headers=headers)
    return refusal() if asked is None else house.app.dispatch(asked)


def survives(house: House, send: Callable[[], BoltResponse]) -> None:
    """Send something and do all the work that comes of it: nobody is surprised, and no rule of Slack's is broken."""
    with capture_logs() as logs:
        assert send().status in {200, 400, 404}  # 400: nothing Slack sends, 404: nothing we listen for
        house.work_off()
    surprises = [entry for entry in logs if entry["event"] in {"unexpected error", "request given up"}]
    assert surprises == []
    assert house.slack.violations == ()


def spoiled(payload: Json, spoils: list[tuple[int, object]]) -> Json:
    """Return a payload with some places, counted through all of it, taken out (...) or filled with junk."""
    result = copy.deepcopy(payload)
    for number, junk in spoils:
        places = list(_places(result))
        if not places:
            break
        holder, key = places[number % len(places)]
        if junk is ...:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(junk)
    return result


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    pairs = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, inner in pairs:
        if key != "type":  # without it, it is no interaction at all
            yield value, key
        yield from _places(inner)


SPOILS = st.lists(st.tuples(st.integers(0, 60), st.one_of(st.just(...), JUNK)), max_size=3)


def interaction(house: House, kind: str, **more: object) -> Json:
    handles = house.slack.new_handles(house.slack.workspace.person("ana"), "C0SECURITY")
    return {
        "type": kind,
        "team": {"id": "T0DEMO", "domain": "northwind"},
        "user": {"id": "U0ANA", "username": "ana", "team_id": "T0DEMO"},
        "channel": {"id": "C0SECURITY", "name": "security"},
        "container": {"type": "message", "channel_id": "C0SECURITY", "is_ephemeral": False},
        "trigger_id": handles.trigger_id,
        "response_url": handles.response_url,
        **more,
    }


def send(house: House, payload: Json) -> BoltResponse:
    return post(house, urlencode({"payload": json.dumps(payload)}))


# What buttons carry: `1` stands for the one execution there is, the others for one that was deleted, and nonsense.
VALUES = st.one_of(st.sampled_from(["1:1", "1:9", "x-gone:1"]), NASTY)


def to_value(house: House, value: str) -> str:
    """Return a button's value with the execution's id in it."""
    return (
        value.replace("1:", f"{house.services.executions.history()[-1].execution_id}:")
        if len(value) == 3
        else value
    )


WORDS = [(command.name, word.name) for command in COMMANDS for word in command.words]


@QUICK
@given(
    word=st.sampled_from([*WORDS, ("/report", ""), ("/playbook", "<!channel>"), ("/nothing", "")]),
    arguments=st.lists(
        st.one_of(NASTY, st.sampled_from([DOOR.handle, "CLOSE-DOOR", "x-", "latest", "html"])), max_size=4
    ),
    spoils=SPOILS,
)
def test_commands(
    the_house: Callable[[], House],
    word: tuple[str, str],
    arguments: list[str],
    spoils: list[tuple[int, object]],
) -> None:
    house = the_house()
    handles = house.slack.new_handles(house.slack.workspace.person("ana"), "C0SECURITY")
    body = {
        "command": word[0],
        "text": " ".join([word[1], *arguments]),
        "team_id": "T0DEMO",
        "user_id": "U0ANA",
        "user_name": "ana",
        "channel_id": "C0SECURITY",
        "channel_name": "security",
        "trigger_id": handles.trigger_id,
        "response_url": handles.response_url,
    }
    form = {key: str(value).encode(errors="replace") for key, value in spoiled(body, spoils).items()}
    survives(house, lambda: post(house, urlencode(form)))


@QUICK
@given(action=st.sampled_from([*ACTIONS, "nothing"]), value=VALUES, spoils=SPOILS)
def test_buttons(
    the_house: Callable[[], House], action: str, value: str, spoils: list[tuple[int, object]]
) -> None:
    house = the_house()
    pressed = {
        "type": "button",
        "action_id": action,
        "block_id": "decide",
        "value": to_value(house, value),
        "action_ts": "1.2",
    }
    payload = interaction(house, "block_actions", actions=[pressed])
    survives(house, lambda: send(house, spoiled(payload, spoils)))


CHOICES = st.sampled_from(["run", "show", "export", "email", "history", "pending", "approve", "<!channel>"])
FIELDS = st.fixed_dictionaries(
    {**dict.fromkeys(("reason", "format", "addresses", *PICKERS), NASTY), "word": CHOICES}
)


@QUICK
@given(
    form=st.sampled_from([*FORMS, "nothing"]),
    fields=st.fixed_dictionaries(dict.fromkeys(("reason", "format", "addresses", *PICKERS), NASTY)),
    carried=st.one_of(NASTY, VALUES),
    spoils=SPOILS,
)
def test_forms(
    the_house: Callable[[], House],
    form: str,
    fields: dict[str, str],
    carried: str,
    spoils: list[tuple[int, object]],
) -> None:
    house = the_house()
    filled = fields.items()
    about = json.dumps({"card": to_value(house, carried), "channel": "C0SECURITY"})
    view = {
        "id": uuid.uuid4().hex,
        "type": "modal",
        "callback_id": form,
        "private_metadata": about if len(carried) > 1 else carried,
        "state": {
            "values": {
                name: {name: {"value": text, "selected_option": {"value": text}}} for name, text in filled
            }
        },
        "blocks": [{"type": "input", "block_id": "word"}],
    }
    payload = interaction(house, "view_submission", view=view)
    survives(house, lambda: send(house, spoiled(payload, spoils)))


@QUICK
@given(picker=st.sampled_from([*PICKERS, "nothing"]), query=NASTY, spoils=SPOILS)
def test_pickers(
    the_house: Callable[[], House], picker: str, query: str, spoils: list[tuple[int, object]]
) -> None:
    house = the_house()
    payload = interaction(house, "block_suggestion", action_id=picker, block_id="b", value=query)
    survives(house, lambda: send(house, spoiled(payload, spoils)))


@QUICK
@given(user=NASTY, spoils=SPOILS)
def test_events(the_house: Callable[[], House], user: str, spoils: list[tuple[int, object]]) -> None:
    house = the_house()
    event = {"type": "app_home_opened", "user": user, "tab": "home", "channel": "D0ANA"}
    body = {"type": "event_callback", "team_id": "T0DEMO", "event_id": "Ev1", "event": event}
    survives(house, lambda: post(house, json.dumps(spoiled(body, spoils)), content_type="application/json"))


@QUICK
@given(
    body=st.one_of(
        NASTY,
        st.sampled_from(["payload=", "payload=[]", "payload=null", "payload=1", "command=%00", "{", "[]"]),
    )
)
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain"]
)
def test_bodies_that_are_no_payload(the_house: Callable[[], House], content_type: str, body: str) -> None:
    house = the_house()
    text = body.encode(errors="replace").decode()
    survives(house, lambda: post(house, text, content_type=content_type))
