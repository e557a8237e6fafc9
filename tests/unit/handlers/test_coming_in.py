"""What comes in is Slack's, by its signature, and is written down before anything comes of it."""

import json
import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qs, urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from tests.fakes.cards_and_inbox import LockedInbox
from tests.fakes.stores import MemoryStores
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import CHANNEL, House

COMMAND = urlencode(
    {
        "command": "/report",
        "text": "list",
        "user_id": "U0ANA",
        "team_id": "T0NORTHWIND",
        "channel_id": "C0SECURITY",
        "trigger_id": "1.1",
        "response_url": "http://127.0.0.1:9/response/1",
    }
)
CLICK = urlencode(
    {
        "payload": json.dumps(
            {
                "type": "block_actions",
                "user": {"id": "U0OMAR", "team_id": "T0NORTHWIND"},
                "team": {"id": "T0NORTHWIND"},
                "channel": {"id": "C0SECURITY"},
                "actions": [{"type": "button", "action_id": "approve", "block_id": "b", "value": "x:1"}],
            }
        )
    }
)
MOMENT_S = 6 * 60  # longer ago than Slack's documentation lets a request be: five minutes


def signed(house: House, body: str, *, secret: str = "", at: float | None = None) -> Mapping[str, list[str]]:
    stamp = str(int(time.time() if at is None else at))
    verifier = SignatureVerifier(secret or house.slack.workspace.signing_secret)
    return {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-request-timestamp": [stamp],
        "x-slack-signature": [str(verifier.generate_signature(timestamp=stamp, body=body))],
    }


def check_refused(house: House, body: str, headers: Mapping[str, list[str]]) -> None:
    assert house.post(body, headers) == 401
    assert house.open_requests() == []
    assert house.hands.next(0) is None


@pytest.mark.parametrize("body", [COMMAND, CLICK], ids=["command", "click"])
def test_what_slack_has_not_signed_is_refused(house: House, body: str) -> None:
    good = signed(house, body)
    check_refused(house, body, signed(house, body, secret="another"))
    check_refused(house, f"{body}&text=list+all", good)
    check_refused(house, body, {**good, "x-slack-signature": ["v0=" + "0" * 64]})
    check_refused(house, body, signed(house, body, at=time.time() - MOMENT_S))
    check_refused(house, body, {"content-type": good["content-type"]})
    assert house.post(body, good) == 200
    assert len(house.open_requests()) == 1


def with_value(value: object) -> str:
    (payload,) = parse_qs(CLICK)["payload"]
    click = json.loads(payload)
    click["actions"][0]["state"] = {"said": value}
    return urlencode({"payload": json.dumps(click)})


@pytest.mark.parametrize("value", ["\ud800", "\U0001f600\udfff", 2**64])
def test_what_no_database_can_hold_is_refused(house: House, value: object) -> None:
    body = with_value(value)
    assert house.post(body, signed(house, body)) == 400
    assert house.open_requests() == []


@pytest.mark.parametrize("value", ["\U0001f600", "\0", 2**63])
def test_what_a_database_can_hold_is_taken_in(house: House, value: object) -> None:
    body = with_value(value)
    assert house.post(body, signed(house, body)) == 200
    assert len(house.open_requests()) == 1


def test_what_cannot_be_written_down_is_not_begun_and_whoever_asked_hears_it(make_house: MakeHouse) -> None:
    inbox, stores = LockedInbox(), MemoryStores()
    object.__setattr__(stores, "inbox", inbox)
    house: House = make_house(stores=stores)
    house.ask()
    inbox.is_locked = True
    house.slack.command(user="ana", channel=CHANNEL, text="/report list")
    house.slack.click("omar", house.card(), "approve")
    for person in ("ana", "omar"):
        hears = partial(house.whispers, person)
        house.slack.wait_for(lambda: [m for m in hears() if "The database is locked" in m.words])  # noqa: B023
    assert house.hands.next(0) is None
    inbox.is_locked = False
    assert house.open_requests() == []
