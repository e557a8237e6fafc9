"""`/report findings`, `compare` and `trend`, and a finding that comes back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.findings import FindingStatus, Severity
from handlers.regressions import REGRESSION, tell_regression
from tests.conftest import need
from tests.databases import stores_in_memory
from tests.fakes.samples import a_finding
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import DOOR, House


@pytest.fixture
def kept(make_house: MakeHouse) -> House:
    """Return a house on a database."""
    return make_house(stores=stores_in_memory())


def test_a_search_is_turned_page_by_page_in_place(kept: House) -> None:
    kept.ingest(*(a_finding(number) for number in range(20)), a_finding(99, severity=Severity.LOW))
    kept.command("ana", "/report findings severity:high")
    first = kept.whisper("ana")
    assert "Findings 1 to 8 of 20" in first.words
    assert first.action_ids == ("page_next",)

    kept.click("ana", first, "page_next")
    second = kept.whisper("ana")
    assert second.ts == first.ts, "in place"
    assert "Findings 9 to 16 of 20" in second.words
    assert second.action_ids == ("page_previous", "page_next")

    kept.click("ana", second, "page_next")
    assert "Findings 17 to 20 of 20" in kept.whisper("ana").words
    assert kept.whisper("ana").action_ids == ("page_previous",)
    assert len(kept.whispers("ana")) == 1
    assert kept.cards() == [], "nobody else saw it"


def test_a_search_says_what_is_due_and_which_fix_fits(kept: House) -> None:
    kept.ingest(DOOR)
    kept.now += timedelta(days=400)
    kept.command("ana", "/report findings overdue")
    said = kept.whisper("ana").words
    assert "overdue" in said
    assert f"/playbook run CLOSE-DOOR {DOOR.handle}" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("severty:high", "Did you mean severity:?"),
        ("severity:hihg", "Did you mean high?"),
        ("status:opne", "Did you mean open?"),
        ("nothing-like-it", "No finding matches"),
    ],
)
def test_typing_errors_are_answered_with_the_nearest_word(kept: House, typed: str, said: str) -> None:
    kept.ingest()
    kept.command("ana", f"/report findings {typed}")
    assert said in kept.whisper("ana").words or said in kept.whisper("ana").text


def test_a_forged_button_turns_no_page(kept: House) -> None:
    kept.ingest(*(a_finding(number) for number in range(9)))
    kept.command("ana", "/report findings")
    page = kept.whisper("ana")
    buttons = page.blocks[-2]
    for value in ("[]", "7", '["x"]', "[-1]", '[0, {"a": 1}]', '["findings", true]', "no json"):
        elements = [{**buttons["elements"][0], "value": value}]
        forged = replace(page, blocks=[*page.blocks[:-2], {**buttons, "elements": elements}])
        with kept.slack.state.change():
            kept.slack.state.messages.edit(page.channel, page.ts, blocks=forged.blocks)
        kept.click("ana", forged, "page_next")
        assert "not one of ours" in kept.whisper("ana").text


def test_two_reports_are_compared(kept: House) -> None:
    first = kept.ingest(a_finding(1), a_finding(2))
    kept.now += timedelta(hours=1)
    second = kept.ingest(a_finding(2), a_finding(3))
    kept.command("ana", f"/report compare {first} {second}")
    said = kept.whisper("ana").words
    for part in ("New: 1", "Fixed: 1", "Still open: 1", "Bucket 3 is public"):
        assert part in said


def test_the_trend_is_a_picture_that_says_its_numbers(kept: House) -> None:
    need("typst", "pip install 'countersign[pdf]'") if not _has_typst() else None
    kept.ingest(a_finding(1), a_finding(2), a_finding(3, status=FindingStatus.PASS, check_id="other"))
    kept.command("ana", "/report trend")
    assert "two reports" in kept.whisper("ana").text
    kept.now += timedelta(days=1)
    kept.ingest(a_finding(1), a_finding(3, status=FindingStatus.PASS, check_id="other"))
    kept.command("ana", "/report trend")
    (picture,) = kept.slack.files()
    assert picture.content.startswith(b"\x89PNG")
    assert "1 high, score 50 of 100, fixed after 24 hours on average" in picture.alt_text
    assert "2 high" in picture.alt_text


def _has_typst() -> bool:
    from exporters.pdf_process import is_typst_here

    return is_typst_here()


def came_back(house: House) -> int:
    """Fix the door, and have a later report show it open; return what is to be told."""
    card = house.ask()
    house.click("omar", card, "approve")
    execution = house.execution()
    house.stores.tracker.mark_fixed(
        DOOR.fingerprint,
        execution_id=execution.execution_id,
        evidence={},
        at=house.now,
        actor=execution.requester,
    )
    house.now += timedelta(hours=1)
    house.ingest()
    (key,) = house.stores.regressions.untold(house.now)
    return key


def test_a_finding_that_came_back_is_told_once_in_the_thread_of_its_card(kept: House) -> None:
    key = came_back(kept)
    tell_regression(kept.services, key)
    tell_regression(kept.services, key)
    told = [reply for reply in kept.replies(kept.card()) if "This finding is back" in reply.words]
    assert len(told) == 1
    assert kept.execution().execution_id in told[0].words
    assert told[0].metadata["event_type"] == REGRESSION

    kept.command("ana", "/report findings status:regressed")
    assert "came back" in kept.whisper("ana").words


def test_where_its_channel_is_archived_whoever_had_it_fixed_hears_that_it_is_back(kept: House) -> None:
    key = came_back(kept)
    before = len(kept.slack.messages("@ana"))
    kept.slack.faults.add("chat.postMessage", times=1, error="is_archived")
    kept.slack.faults.add("chat.postMessage", times=1, status=503)
    tell_regression(kept.services, key)
    assert len(kept.slack.messages("@ana")) == before, "Slack was away for that"
    kept.now += timedelta(minutes=11)
    assert kept.stores.regressions.untold(kept.now) == [key]
    kept.slack.faults.add("chat.postMessage", times=1, error="is_archived")
    tell_regression(kept.services, key)
    (told,) = kept.slack.messages("@ana")[before:]
    assert "This finding is back" in told.words
    assert "archived" in told.words
    assert kept.stores.regressions.untold(kept.now + timedelta(days=1)) == []


def test_what_slack_did_not_take_is_told_later_and_not_twice(kept: House) -> None:
    key = came_back(kept)
    kept.slack.faults.add("chat.postMessage", times=1, drop_after=True)
    tell_regression(kept.services, key)
    assert kept.stores.regressions.untold(kept.now) == []
    kept.now += timedelta(minutes=11)
    assert kept.stores.regressions.untold(kept.now) == [key]
    tell_regression(kept.services, key)
    told = [reply for reply in kept.replies(kept.card()) if "This finding is back" in reply.words]
    assert len(told) == 1
    assert kept.stores.regressions.untold(kept.now + timedelta(days=1)) == []
