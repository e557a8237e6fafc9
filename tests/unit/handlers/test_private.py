"""What one person alone is shown of executions: as on file, within Slack's limits, safe whatever a stranger writes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actor import Actor
from handlers.blocks.card import CardRules, build_card
from handlers.blocks.executions import Pending, build_history, build_pending, build_rollbacks
from handlers.blocks.private import (
    build_rejected,
    build_rollback_ordered,
    build_signed,
    build_status,
    build_to_roll_back,
    build_to_sign,
)
from handlers.blocks.views import build_roll_back_view
from remediation.execution import ActionResult, PlaybookExecution
from remediation.states import ActionStatus, PlaybookStatus
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden, to_checked
from tests.unit.handlers.test_batch_cards import a_batch, an_item

RULES = CardRules(required_approvals=1, environment="production")
TWO = replace(RULES, rollback_approvals=2)
_NASTY = st.sampled_from(
    ["<!channel>", '"\\' * 700, "&" * 1500, "漢" * 900, "`" * 500, " ", "\n*x*\n", "\0\u202e"]
)


@pytest.mark.parametrize("status", PlaybookStatus, ids=lambda status: status.value.lower())
def test_status(status: PlaybookStatus) -> None:
    check_golden(f"status_{status.value.lower()}", build_status(cards.in_state(status), RULES))


def test_a_plan_to_sign() -> None:
    check_golden("to_sign", build_to_sign(cards.pending(), RULES))
    check_golden("to_sign_drifted", build_to_sign(cards.drifted(), RULES))


def test_a_rollback_to_order() -> None:
    done = cards.in_state(PlaybookStatus.COMPLETED)
    check_golden("to_roll_back", build_to_roll_back(done, RULES, cards.PREVIEW))
    check_golden("to_sign_rollback", build_to_roll_back(cards.rollback_asked(), TWO, cards.PREVIEW))


def test_lists() -> None:
    first = cards.a_page_of([cards.pending()], "severity:critical", name="pending", has_more=True)
    check_golden("pending_list", build_pending(Pending(page=first, fixes=2, entries=2)))
    asked = cards.rollback_asked()
    check_golden("rollback_list", build_rollbacks([asked, asked], most=1, needed=2))
    check_golden(
        "pending_list_both",
        build_pending(
            Pending(page=cards.a_page_of([cards.pending()]), fixes=1, entries=1, rollbacks=[asked]),
            rollback_approvals=2,
        ),
    )
    batch = a_batch(an_item(1), an_item(2))
    check_golden(
        "pending_list_batch",
        build_pending(Pending(page=cards.a_page_of([batch, cards.pending()]), fixes=3, entries=2)),
    )
    every = [cards.in_state(status) for status in PlaybookStatus]
    check_golden("history_list", build_history(cards.a_page_of(every[:10], "AWS-PUBLIC-S3")))


@settings(max_examples=share(30), deadline=None)
@given(st.lists(_NASTY, min_size=4, max_size=4))
def test_whatever_is_written_fits_and_is_escaped(texts: list[str]) -> None:
    finding = replace(cards.FINDING, title=texts[0], resource=texts[1], id=texts[2])
    action = replace(
        cards.ACTION, before={texts[0]: texts[1]}, after={texts[0]: texts[3]}, untouched=tuple(texts)
    )
    execution = replace(
        cards.in_state(PlaybookStatus.COMPLETED),
        finding=finding,
        plan=cards.a_plan(*[action] * 12),
        playbook={"playbook_id": texts[3], "name": texts[2]},
        actions=tuple(
            ActionResult(text, ActionStatus.FAILED, text, error=text, before={}) for text in texts * 3
        ),
        channel=texts[0],
        error=texts[1],
        decisions=tuple(replace(cards.APPROVAL, reason=text) for text in texts * 4),
    )
    waiting = replace(execution, status=PlaybookStatus.PENDING)
    hostile = tuple(replace(cards.PREVIEW[0], setting=text, was=text, now=text) for text in texts * 9)
    request = cards.rollback_asked().rollback
    assert request is not None
    asked = replace(execution, rollback=replace(request, settings=hostile, requester=Actor(email=texts[0])))
    batch = a_batch(waiting, channel=texts[0], playbook_name=texts[1])
    few = cards.a_page_of([waiting, batch] * 2 + [batch], "mine", has_more=True)
    many = cards.a_page_of([batch, waiting] * 5, texts[0], has_more=True, offset=10)
    full = Pending(page=few, fixes=900, entries=800, rollbacks=[asked] * 11)
    for message in (
        build_status(execution, RULES),
        build_to_sign(waiting, RULES),
        build_to_roll_back(execution, RULES, hostile),
        build_to_roll_back(asked, TWO, hostile),
        build_rollbacks([asked] * 11, most=10, needed=2),
        build_pending(full, rollback_approvals=2),
        build_pending(replace(full, page=replace(few, items=[])), rollback_approvals=2),
        build_pending(replace(full, page=cards.a_page_of([])), rollback_approvals=2),
        build_signed(execution),
        build_rejected(execution),
        build_rollback_ordered(execution),
        build_pending(replace(full, page=many, rollbacks=[])),
        build_history(cards.a_page_of([execution] * 10, texts[0], has_more=True, offset=10)),
        build_history(cards.a_page_of([], texts[0])),
    ):
        assert "<!channel>" not in str(to_checked(message))


LONG = "x" * 2000


def asked_for_long(value: str = LONG) -> PlaybookExecution:
    done = cards.rollback_asked()
    assert done.rollback
    (first, *_) = done.rollback.settings
    return replace(done, rollback=replace(done.rollback, settings=(replace(first, was=value, now=None),)))


def test_a_rollback_that_is_cut_is_signed_in_its_window_alone() -> None:
    execution = asked_for_long()
    assert execution.rollback
    settings = execution.rollback.settings
    card = to_checked(build_card(execution, TWO))
    offer = to_checked(build_to_roll_back(execution, TWO, settings))
    for shown in (card, offer):
        assert "home_rollback" in str(shown)
        assert "'rollback'" not in str(shown)
        assert "rollback_here" not in str(shown)
    window = build_roll_back_view(execution, TWO, settings).to_dict()
    assert window["callback_id"] == "rollback_form"
    assert str(window).count("x") >= len(LONG)
    assert max(len(block["text"]["text"]) for block in window["blocks"] if "text" in block) <= 3000


def test_what_no_window_shows_whole_is_not_signed_there() -> None:
    execution = asked_for_long("x" * 60_000)
    assert execution.rollback
    window = build_roll_back_view(execution, TWO, execution.rollback.settings).to_dict()
    assert window["callback_id"] == "details"
    assert "submit" not in window
    assert "cannot be signed" in str(window)
    assert len(window["blocks"]) <= 100
