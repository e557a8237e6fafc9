"""Who asked for a fix stands on the trail by member id, address and workspace; without an address they may ask all the same."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from audit.actor import Actor
from remediation.memory import MemoryExecutions
from remediation.states import PlaybookStatus
from tests.fakes.switches import Bench, door_finding, door_playbook
from tests.unit.handlers.batch_house import DOORS, ask
from tests.unit.handlers.house import DOOR, House

ANA = {"workspace": "T0DEMO", "slack_id": "U0ANA", "email": "ana@northwind.example", "origin": "slack"}


def told(house: House, *kinds: str) -> list[Mapping[str, Any]]:
    events = [orjson.loads(entry.body) for entry in house.stores.trail.stream()]
    return [event for event in events if event["kind"] in kinds]


def test_who_asks_through_slack_is_known_by_address_too(house: House) -> None:
    house.ask()
    (requested,) = told(house, "execution.requested")
    assert requested["actor"] == ANA
    assert "email" not in requested["detail"]
    assert house.execution().requester.to_dict() == ANA


def test_nobody_waits_for_the_directory_with_the_acknowledgement(house: House) -> None:
    house.ingest()
    assert house.slack.command(
        user="ana", channel="#security", text=f"/playbook run CLOSE-DOOR {DOOR.handle}"
    ).ok
    assert house.slack.calls_of("users.info") == ()
    house.work()
    assert len(house.slack.calls_of("users.info")) == 1


def test_who_asks_again_is_known_by_address_too(house: House) -> None:
    house.ask()
    house.command("otto", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    (joined,) = told(house, "execution.joined")
    assert (joined["actor"]["slack_id"], joined["actor"]["email"]) == ("U0OTTO", "otto@northwind.example")


def test_and_who_asks_for_several(hall: House) -> None:
    ask(hall, *DOORS[:2])
    asked = told(hall, "execution.requested", "batch.requested")
    assert [event["actor"] for event in asked] == [ANA] * 3
    assert len(hall.slack.calls_of("users.info")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "internal_error"},
        {"error": "missing_scope"},
        {"status": 429, "retry_after": 1},
        {"drop": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["users.info", "auth.test"])
def test_where_the_directory_does_not_answer_the_request_goes_through_and_says_so(
    house: House, method: str, fault: dict[str, object]
) -> None:
    house.ingest()
    house.slack.faults.add(method, **fault)
    card = house.ask()
    (requested,) = told(house, "execution.requested")
    assert requested["actor"] == {**ANA, "email": ""}
    assert requested["detail"]["email"] == "not known"
    house.slack.faults.add(method, **fault)
    house.command("otto", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    (joined,) = told(house, "execution.joined")
    assert (joined["actor"]["email"], joined["detail"]["email"]) == ("", "not known")
    house.click("omar", card, "approve")
    assert house.execution().status is PlaybookStatus.COMPLETED


def test_nor_does_a_batch_wait_for_an_address(hall: House) -> None:
    hall.slack.faults.add("users.info", error="internal_error")
    ask(hall, *DOORS[:2])
    asked = told(hall, "execution.requested", "batch.requested")
    assert [event["detail"]["email"] for event in asked] == ["not known"] * 3


def test_somebody_from_another_workspace_stays_somebody_from_there() -> None:
    bench = Bench(MemoryExecutions())
    asker = Actor(workspace="T9", slack_id="U0OTTO")
    asked = bench.remediation.request(door_playbook(), door_finding(), asker)
    assert asked.requester == replace(asker, email="otto@northwind.example")
