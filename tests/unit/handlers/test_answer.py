"""Requests that come late, that break whoever answers them, or whose answer cannot be sent."""

import re
from datetime import timedelta

import pytest
from slack_sdk.models.blocks import ActionsBlock, ButtonElement
from structlog.testing import capture_logs

from handlers.answer import MOST_ATTEMPTS
from handlers.blocks.names import PLAN_FIX
from handlers.lateness import ANSWERED_WITHIN
from handlers.reply_urls import ReplyUrls
from remediation.ports import ANSWERER_LOST_AFTER
from remediation.states import PlaybookStatus
from tests.unit.handlers.house import DOOR, House

MOMENT = timedelta(seconds=1)
WHERE = {"channel_id": "C0SECURITY", "trigger_id": "1"}
RUN = f"run CLOSE-DOOR {DOOR.handle}"


class Crash(BaseException):
    """The end of the process."""


def crash() -> None:
    raise Crash


def answered_after(house: House, wait: timedelta) -> None:
    """Let a request lie for so long before somebody answers it."""
    work = house.hands.next(timeout_s=5)
    assert work
    house.now += wait
    house.do(*work)
    house.work_off()


def begun_elsewhere(house: House, request_id: str) -> None:
    """Let another process begin to answer a request, and not end it."""
    assert house.stores.inbox.begin(request_id, owner="boot-other", now=house.now)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (ANSWERED_WITHIN + MOMENT, "15 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(hours=50), "2 days"),
    ],
)
def test_an_old_click_does_nothing_and_says_so(house: House, wait: timedelta, words: str) -> None:
    card = house.ask()
    house.slack.click("omar", card, "approve")
    answered_after(house, wait)
    assert house.whisper("omar").text == (
        f"You clicked this {words} ago while the bot was away; nothing was done. Click again."
    )
    assert house.execution().status is PlaybookStatus.PENDING
    assert house.board.switches == {"door": "open"}


def test_a_click_that_is_just_young_enough_counts(house: House) -> None:
    house.slack.click("omar", house.ask(), "approve")
    answered_after(house, ANSWERED_WITHIN)
    assert house.board.switches == {"door": "closed"}


def test_an_old_rollback_does_nothing(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    house.slack.click("omar", house.card(), "rollback")
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert "nothing was done" in house.whisper("omar").text
    assert house.board.switches == {"door": "closed"}


def test_an_old_rejection_does_nothing(house: House) -> None:
    house.slack.click("omar", house.ask(), "reject")
    house.slack.submit_view("omar", house.window("omar"), {"reason": "not today"})
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert "nothing was done" in house.whisper("omar").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_an_old_click_whose_answer_was_cut_off_promises_nothing(house: House) -> None:
    house.slack.click("omar", house.ask(), "approve")
    (request_id,) = house.open_requests()
    begun_elsewhere(house, request_id)
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert "nothing was done" not in house.whisper("omar").text
    assert "See what came of it" in house.whisper("omar").text


@pytest.mark.parametrize("text", ["/report export json", "/report email ciso@a.example", f"/playbook {RUN}"])
def test_an_old_command_that_acts_does_nothing(house: House, text: str) -> None:
    house.ingest()
    house.slack.command(user="ana", channel="#security", text=text)
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert house.whisper("ana").text == (
        "You asked for this 15 minutes ago while the bot was away; nothing was done. Ask again."
    )
    assert house.cards() == []
    assert house.services.executions.history() == []


def test_an_old_click_that_asks_for_a_fix_asks_for_none(house: House) -> None:
    house.ingest()
    button = ButtonElement(text="Fix", action_id=PLAN_FIX, value=f"CLOSE-DOOR {DOOR.handle}")
    blocks = [ActionsBlock(elements=[button]).to_dict()]  # as a digest has it
    house.client.chat_postMessage(channel="C0SECURITY", text="Digest", blocks=blocks)
    assert house.slack.click("ana", house.card(), PLAN_FIX).ok
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert "nothing was done" in house.whisper("ana").text
    assert house.services.executions.history() == []


def test_what_another_process_is_answering_is_left_to_it(house: House) -> None:
    house.slack.click("omar", house.ask(), "approve")
    (request_id,) = house.open_requests()
    begun_elsewhere(house, request_id)
    for _ in range(MOST_ATTEMPTS + 1):
        house.do("request", request_id)
    assert house.whispers("omar") == []
    assert house.execution().status is PlaybookStatus.PENDING

    house.now += ANSWERER_LOST_AFTER
    assert house.open_requests() == [request_id], "the other one has died"
    house.do("request", request_id)
    house.work_off()
    assert house.board.switches == {"door": "closed"}


def test_an_old_command_that_reads_is_answered(house: House) -> None:
    house.ingest()
    house.slack.command(user="ana", channel="#security", text="/report list")
    answered_after(house, ANSWERED_WITHIN + MOMENT)
    assert "scan.json" in house.whisper("ana").words


def test_a_request_that_kills_its_process_is_given_up_on(house: House) -> None:
    house.ingest()
    house.board.faults["read"] = crash
    request_id = house.put_command("/playbook", {"text": RUN, **WHERE})
    for _ in range(3):
        with pytest.raises(Crash):
            house.do("request", request_id)
    tries = house.board.calls.count("read")
    with capture_logs() as logs:
        house.do("request", request_id)
    assert house.board.calls.count("read") == tries == 3
    assert house.open_requests() == []
    reference = re.fullmatch(
        r"Something went wrong on our side\. Reference (\w{8}): .+", house.whisper("ana").text
    )
    assert reference
    assert [(log["reference"], log["attempts"]) for log in logs if log["event"] == "request given up"] == [
        (reference[1], 4)
    ]


@pytest.mark.parametrize("text", ["export json", "email ciso@northwind.example"])
def test_what_leaves_the_house_is_not_begun_twice(house: House, text: str) -> None:
    house.ingest()
    request_id = house.put_command("/report", {"text": text, **WHERE})
    begun_elsewhere(house, request_id)
    house.now += ANSWERER_LOST_AFTER
    entries = len(house.stores.trail.entries)
    house.work()
    assert "not done twice" in house.whisper("ana").text
    assert house.slack.files() == ()
    assert len(house.stores.trail.entries) == entries


def test_what_was_done_is_noted_before_it_is_told(house: House) -> None:
    request_id = house.put_command("/report", {"text": "list", **WHERE})
    house.services.reply_urls.keep(request_id, "http://[is no address", now=house.now)
    with pytest.raises(ValueError, match="IPv6"):
        house.do("request", request_id)
    assert house.open_requests() == []


def test_an_answer_goes_by_its_response_url_and_after_a_restart_by_the_channel(house: House) -> None:
    house.command("ana", "/report list")
    assert house.slack.calls_of("chat.postEphemeral") == ()
    house.slack.command(user="ana", channel="#security", text="/report list")
    object.__setattr__(house.services, "reply_urls", ReplyUrls())
    house.work()
    assert len(house.slack.calls_of("chat.postEphemeral")) == 1
    assert len(house.whispers("ana")) == 2
