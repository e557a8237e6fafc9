"""Batch cards on file, in each of their states, and within Slack's limits whatever stands on them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import InputError
from audit.findings import Severity
from handlers.blocks.batch_card import Asked, BatchRules, build_batch_card, build_plain_batch_card
from handlers.blocks.batch_home import home_batch
from handlers.blocks.batch_outcome import build_batch_outcome, build_batch_progress
from handlers.blocks.batch_views import (
    build_changes_view,
    build_choose_view,
    build_reject_view,
    fits_window,
)
from handlers.blocks.names import BatchRef
from handlers.blocks.parts import Message
from remediation.batches import MOST_ITEMS, Batch, LeftOut, Members
from remediation.execution import PlaybookExecution
from remediation.states import PlaybookStatus
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden, check_golden_view, to_checked

_S = PlaybookStatus
LEFT_OUT = (
    LeftOut(
        finding="f-0a1b2c3d", resource="arn:aws:s3:::northwind-site", why="it already is as it should be"
    ),
)


def an_item(number: int, status: PlaybookStatus = _S.PENDING, **changes: object) -> PlaybookExecution:
    execution = cards.in_state(status)
    resource = f"arn:aws:s3:::northwind-{number}"
    severity = Severity.CRITICAL if number == 1 else Severity.HIGH
    finding = replace(execution.finding, id=f"scan-{number}", resource=resource, severity=severity)
    action = replace(cards.ACTION, target=replace(cards.ACTION.target, resource=resource))
    return replace(
        execution,
        execution_id=f"x-{number:012d}",
        finding=finding,
        plan=cards.a_plan(action),
        batch_id="b-0123456789ab",
        **changes,  # type: ignore[arg-type]
    )


def a_batch(*items: PlaybookExecution, **changes: object) -> Members:
    batch = Batch(
        batch_id="b-0123456789ab",
        playbook_id="AWS-PUBLIC-S3",
        playbook_name="Fix Public S3 Bucket",
        requester=cards.ANA,
        created_at=cards.AT,
        channel="C0SECURITY",
        execution_ids=tuple(each.execution_id for each in items),
        left_out=LEFT_OUT,
    )
    return Members(replace(batch, **changes), items)  # type: ignore[arg-type]


def rules(members: Members, *, needed: int = 1) -> BatchRules:
    asked = {
        each.execution_id: Asked(required_approvals=needed, approvers="@S0SEC") for each in members.executions
    }
    return BatchRules(asked=asked, environment="production")


def card(members: Members) -> Message:
    return build_batch_card(members, rules(members), fits_window=fits_window(members))


def test_waiting_on_file() -> None:
    half = replace(cards.ACTION, before={**dict.fromkeys(cards.FLAGS, False), "BlockPublicAcls": True})
    third = an_item(3)
    third = replace(
        third,
        plan=cards.a_plan(replace(half, target=replace(half.target, resource=third.finding.resource))),
    )
    members = a_batch(an_item(1), an_item(2), third)
    check_golden("batch_pending", card(members))
    check_golden_view("batch_changes", build_changes_view(members, channel="C0SECURITY"))
    check_golden_view("batch_choose", build_choose_view(members, channel="C0SECURITY"))
    check_golden_view("batch_reject", build_reject_view(members, channel="C0SECURITY"))


def test_results_on_file() -> None:
    members = a_batch(
        an_item(1, _S.COMPLETED),
        an_item(2, _S.FAILED),
        an_item(3, _S.REJECTED),
        an_item(4, _S.PENDING, revision=2),
        an_item(5, _S.COMPLETED),
        refused={"x-000000000005": "northwind-5 was changed by somebody"},
    )
    check_golden("batch_done", card(members))
    check_golden("batch_outcome", build_batch_outcome(members))
    check_golden("batch_progress", build_batch_progress(members))


@pytest.mark.parametrize("status", list(_S))
def test_each_state_says_what_it_is_and_has_its_buttons(status: PlaybookStatus) -> None:
    members = a_batch(an_item(1, status), an_item(2, status))
    blocks = to_checked(card(members))["blocks"]
    names = [
        each["action_id"] for block in blocks if block["type"] == "actions" for each in block["elements"]
    ]
    assert ("batch_approve" in names) == (status is _S.PENDING)
    assert ("batch_rollback" in names) == (
        status in {_S.COMPLETED, _S.FAILED, _S.INTERRUPTED, _S.ROLLBACK_FAILED}
    )
    assert "batch_changes" in names
    to_checked(build_plain_batch_card(members))


def test_forty_alike_stand_on_one_card_whole() -> None:
    members = a_batch(*(an_item(number) for number in range(40)))
    text = str(to_checked(card(members)))
    assert "batch_approve" in text
    assert all(f"arn:aws:s3:::northwind-{number}`" in text for number in range(40))


def test_fifty_stand_in_the_window_whole() -> None:
    members = a_batch(*(an_item(number) for number in range(MOST_ITEMS)))
    view = build_changes_view(members, channel="C0SECURITY").to_dict()
    assert view["callback_id"] == "batch_approve_form"
    assert len(view["blocks"]) <= 100
    assert all(f"northwind-{number}`" in str(view) for number in range(MOST_ITEMS))
    assert len(build_choose_view(members, channel="C0SECURITY").to_dict()["blocks"]) <= 100


def test_signatures_of_two_rules_are_told_apart() -> None:
    members = a_batch(an_item(1), an_item(2))
    asked = {
        "x-000000000001": Asked(required_approvals=2, approvers="@U0PRIYA"),
        "x-000000000002": Asked(required_approvals=1, approvers="@S0SEC"),
    }
    text = str(to_checked(build_batch_card(members, BatchRules(asked=asked), fits_window=True)))
    assert "1 with 0 of 2 approvals. May approve: <@U0PRIYA>" in text
    assert "1 with 0 of 1 approvals. May approve: <!subteam^S0SEC>" in text


def test_the_earliest_end_is_the_one_that_counts() -> None:
    early = cards.AT + timedelta(hours=1)
    members = a_batch(an_item(1), an_item(2, expires_at=early))
    assert f"<!date^{int(early.timestamp())}^" in str(to_checked(card(members)))


@settings(max_examples=share(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, MOST_ITEMS),
    text=st.text(max_size=400),
    value=st.text(max_size=3000),
    left=st.integers(0, 60),
    status=st.sampled_from([_S.PENDING, _S.COMPLETED, _S.FAILED, _S.REJECTED]),
)
def test_whatever_stands_there_slack_takes_it(
    count: int, text: str, value: str, left: int, status: PlaybookStatus
) -> None:
    items = []
    for number in range(count):
        item = an_item(number, status, error=text or None)
        action = replace(
            cards.ACTION,
            before={"Policy": f"{number % 3} {value}"},
            after={"Policy": text},
            notes=(text, value),
        )
        finding = replace(item.finding, resource=f"{number} {text}", title=text)
        items.append(replace(item, finding=finding, plan=cards.a_plan(action)))
    left_out = tuple(LeftOut(finding="f-1", resource=text, why=value) for _ in range(left))
    members = a_batch(*items, left_out=left_out, playbook_name=text)
    checked = to_checked(card(members))
    for message in (build_batch_outcome(members), build_batch_progress(members)):
        to_checked(message)
    for build in (build_changes_view, build_choose_view, build_reject_view):
        if members.waiting or build is build_changes_view:
            assert len(build(members, channel="C0SECURITY").to_dict()["blocks"]) <= 100
    if members.waiting:
        assert len(home_batch(members)) == 2
    if "batch_approve'" in str(checked):  # then nothing of it was cut
        assert all(each.finding.handle in str(checked) for each in items)


@pytest.mark.parametrize(
    "value", ["", "b-1", "b-1:", "b-1:abc", f"b 1:{'0' * 64}", None, 7, f"b-1:{'0' * 65}"]
)
def test_a_value_that_is_none_of_ours_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        BatchRef.parse(value)


def test_a_value_comes_back_as_it_was() -> None:
    for ref in (BatchRef("b-1", "0" * 64), BatchRef("b-1", "")):
        assert BatchRef.parse(ref.value) == ref


def asked_back(*values: str) -> Members:
    """Return a batch whose rollback waits for a second signature: one item for each value that goes back."""
    request = cards.rollback_asked().rollback
    assert request
    items = []
    for number, value in enumerate(values, 1):
        (first, *_) = request.settings
        waits = replace(request, settings=(replace(first, was=value),))
        items.append(an_item(number, _S.COMPLETED, rollback=waits))
    return a_batch(*items)


def actions_of(message: Message) -> list[str]:
    blocks = to_checked(message)["blocks"]
    return [each["action_id"] for block in blocks if block["type"] == "actions" for each in block["elements"]]


def test_a_rollback_is_signed_where_all_of_it_stands() -> None:
    shown = card(asked_back("one", "one", "two", "three"))
    assert "batch_rollback" in actions_of(shown)
    assert "for 2 of them" in str(shown.to_dict())


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([f"v{number}" for number in range(5)], id="more kinds than are shown"),
        pytest.param(["x" * 4000], id="a value that is cut"),
        pytest.param(["x" * 4000 + "a", "x" * 4000 + "b"], id="values that differ where they are cut"),
    ],
)
def test_a_rollback_that_is_cut_is_not_signed_on_the_card(values: list[str]) -> None:
    shown = card(asked_back(*values))
    assert "batch_rollback" not in actions_of(shown)
    assert "batch_refuse_rollback" in actions_of(shown)
    assert "not signed here" in str(shown.to_dict())
    if len(values) == 5:
        assert "and 1 more items" in str(shown.to_dict())
    if len(values) == 2:
        assert str(shown.to_dict()).count("for 1 of them") == 2
