"""Many open doors in a house of handlers, and the words that tests of batches use."""

import re
from dataclasses import replace

from audit.actor import Actor
from audit.findings import Finding, Severity
from bot.sandbox import Message, View
from tests.unit.handlers.house import DOOR, House
from tests.unit.remediation.hall import hall_playbook

DOORS = [
    replace(
        DOOR,
        id=f"F-{number}",
        title=f"Door {number} is open",
        resource=f"board/door-{number}",
        severity=Severity.CRITICAL if number == 1 else Severity.HIGH,
    )
    for number in range(1, 13)
]


def furnish(house: House, count: int = 12, *, max_targets: int = 60) -> House:
    """Give a house many open doors, and the playbook that closes them."""
    book = hall_playbook(max_targets=max_targets)
    book.checks.append("door_closed")
    house.services.playbooks[book.playbook_id] = book  # type: ignore[index]
    house.board.switches.update({door.resource: "open" for door in DOORS[:count]})
    house.ingest(*DOORS[:count])
    return house


def ask(house: House, *findings: Finding, user: str = "ana") -> Message:
    names = " ".join(finding.handle for finding in findings)
    house.command(user, f"/playbook run CLOSE-DOORS {names}")
    return house.cards()[0]


def card_of(house: House, card: Message) -> Message:
    return house.slack.message(card.channel, card.ts)


def view(house: House, user: str, card: Message, action_id: str) -> View:
    assert house.slack.click(user, card, action_id).ok
    return house.window(user)


def states(house: House) -> list[str]:
    (batch_id,) = {each.batch_id for each in house.services.executions.history(limit=99) if each.batch_id}
    return [each.status.value for each in house.services.batches.members(batch_id).executions]


class Killed(BaseException):
    """Ends everything at once, as a signal nobody catches."""


def die() -> None:
    raise Killed


def replay(house: House) -> None:
    """Answer what was left open, as a start does."""
    (request_id,) = house.services.inbox.open_requests(house.services.runner.journal.owner, house.now)
    house.do("request", request_id)
    house.work_off()


def batch_id_of(card: Message) -> str:
    found = re.search(r"b-[0-9a-f]{12}", str(card.blocks))
    assert found
    return found[0]


def actor_of(slack_id: str) -> Actor:
    return Actor(workspace="T0DEMO", slack_id=slack_id)
