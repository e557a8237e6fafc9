"""A sweep reads what nobody was told yet: what was told is left out by the database, and each thing is told once all the same."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from audit.findings import Severity
from remediation.attention import ESCALATION, REMINDER, Attention, Herald
from remediation.policy import Policy
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from storage import Stores
from tests.databases import stores_in_memory
from tests.fakes.samples import NOW, a_finding, an_event, an_execution

PLACES = ("C1", "U2")
HOUR = timedelta(hours=1)
QUICK = Rule(severities=frozenset({Severity.LOW}), expires_after=timedelta(minutes=30))
SOON = NOW + timedelta(minutes=50)


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = stores_in_memory()
    yield stores
    stores.close()


@pytest.fixture
def herald(stores: Stores) -> Herald:
    return Herald(
        store=stores.executions,
        exceptions=stores.exceptions,
        notices=stores.notices,
        policy=Policy(rules=(QUICK,)),
        attention=Attention(remind_before=HOUR, escalate_to=PLACES),
    )


def stored(stores: Stores, name: str, **changes: object) -> None:
    stores.executions.create(an_execution(name, **{"expires_at": SOON, **changes}), an_event())


def tell(stores: Stores, notices: list[str]) -> None:
    for notice in notices:
        assert stores.notices.begin(notice, NOW)
        stores.notices.told(notice)


def test_who_was_reminded_is_not_read_again(stores: Stores, herald: Herald) -> None:
    for number in range(3):
        stored(stores, f"x-{number}", holds=str(number))
        stored(stores, f"item-{number}", batch_id="b-1", holds=f"b{number}")
    stored(stores, "later", expires_at=NOW + 2 * HOUR, holds="l")
    stored(stores, "quick", finding=a_finding(severity=Severity.LOW), holds="q")
    due = herald.due(NOW)
    assert due == ["reminder:item-0:1", "reminder:x-0:1", "reminder:x-1:1", "reminder:x-2:1"], (
        "one of the batch, and none that may wait for less than that"
    )
    tell(stores, [due[0], due[1], due[3]])
    assert herald.due(NOW) == ["reminder:x-1:1"]
    read = stores.executions.glimpses(PlaybookStatus.PENDING, after=NOW, until=SOON, untold=REMINDER)
    assert [each.execution_id for each in read] == ["item-0", "item-1", "item-2", "quick", "x-1"]


def test_a_new_plan_is_a_new_reminder(stores: Stores, herald: Herald) -> None:
    stored(stores, "x-0", revision=2)
    tell(stores, ["reminder:x-0:1"])
    assert herald.due(NOW) == ["reminder:x-0:2"]


def test_what_is_begun_and_not_told_stays(stores: Stores, herald: Herald) -> None:
    stored(stores, "x-0")
    assert stores.notices.begin("reminder:x-0:1", NOW)
    assert herald.due(NOW) == ["reminder:x-0:1"]


def test_each_place_is_told_for_itself(stores: Stores, herald: Herald) -> None:
    for name in ("x-0", "x-1"):
        stored(stores, name, status=PlaybookStatus.EXPIRED, expires_at=NOW - HOUR)
    stored(stores, "old-news", status=PlaybookStatus.EXPIRED, expires_at=NOW - timedelta(days=3))
    assert herald.due(NOW) == [f"escalation:{name}:{place}" for place in PLACES for name in ("x-0", "x-1")]
    tell(stores, ["escalation:x-0:C1", "escalation:x-1:U2"])
    assert herald.due(NOW) == ["escalation:x-1:C1", "escalation:x-0:U2"]
    read = stores.executions.glimpses(PlaybookStatus.EXPIRED, untold=ESCALATION, number="C1")
    assert [each.execution_id for each in read] == ["old-news", "x-1"]


def test_a_glance_finds_the_same_rule_as_a_look() -> None:
    policy = Policy(rules=(QUICK, Rule(accounts=frozenset({"1"}), required_approvals=2)))
    for severity in Severity:
        for account in ("1", "2"):
            execution = an_execution(finding=a_finding(severity=severity, account_id=account))
            assert policy.terms_at_a_glance(execution.glimpse) == policy.terms_of(execution)


def test_a_row_of_an_earlier_program_counts_as_the_worst(stores: Stores, herald: Herald) -> None:
    stored(stores, "x-old")
    with stores.database.writing() as session:
        session.connection().execute(text("UPDATE executions SET severity = '', entry = ''"))
    assert herald.due(NOW) == ["reminder:x-old:1"]
