"""What Slack refuses as a message, or what no card has room for, stands beside it as a file: whole, and once."""

from dataclasses import replace

import pytest
from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from exporters.schedules import Fire
from handlers.blocks.names import REJECT
from handlers.blocks.parts import Message, context, fields, header, section
from handlers.blocks.whole import plan_in_words, words_of
from handlers.fire_posts import post_once
from handlers.posting import Poster
from handlers.replies import reply
from remediation.ports import Posting
from tests.fakes.samples import an_event
from tests.unit.handlers import cards
from tests.unit.handlers.house import DOOR, House
from tests.unit.handlers.slack_lives import redraw
from tests.unit.handlers.test_replies import ask

LONG = "x" * 5000
REFUSALS = ("invalid_blocks", "msg_blocks_too_long", "msg_too_long")


def files(house: House, where: str = "C0SECURITY") -> dict[str, str]:
    return {
        file.name: house.slack.file_content(file.id).decode()
        for file in house.slack.files()
        if any(
            channel == where or (where == "direct" and channel.startswith("D")) for channel in file.channels
        )
    }


def with_a_long_plan(house: House) -> str:
    """Store a plan that no card has room for, and draw it."""
    huge = replace(cards.ACTION, before={"Policy": None}, after={"Policy": LONG})
    stored = house.stores.executions.create(
        replace(cards.pending(plan=cards.a_plan(huge)), channel="C0SECURITY"), an_event()
    )
    house.do("draw", stored.execution_id)
    return stored.execution_id


def test_a_plan_that_no_card_has_room_for_is_a_file_in_its_thread_once(house: House) -> None:
    execution_id = with_a_long_plan(house)
    assert house.card().action_ids == (REJECT,)
    (reply,) = house.replies(house.card())
    assert LONG in files(house)[f"plan-{execution_id}-1.txt"]
    redraw(house)
    assert house.replies(house.card()) == [reply]


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refused_card_has_its_plan_beside_it(house: House, code: str) -> None:
    house.ingest()
    house.slack.faults.add("chat.postMessage", error=code)
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert "could not be shown in full" in house.card().words
    (text,) = files(house).values()
    assert "before: open\n" in text
    assert "after:  closed\n" in text


def test_a_card_that_shows_everything_has_no_file(house: House) -> None:
    house.ask()
    assert house.slack.files() == ()


def test_a_file_that_slack_does_not_take_leaves_the_card(house: House) -> None:
    house.slack.faults.add("files.getUploadURLExternal", error="missing_scope")
    execution_id = with_a_long_plan(house)
    assert "too large" in house.card().words
    (posting,) = house.stores.postings.postings(execution_id)
    assert isinstance(posting, Posting)
    assert posting.drawn_version == house.stores.executions.get(execution_id).version


LONG_ANSWER = Message("Nine things were found.", (section("one &amp; <two>"), section("y" * 2500)))


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refused_answer_is_short_and_whole_in_a_file_that_only_its_reader_sees(
    house: House, code: str
) -> None:
    house.slack.faults.add("chat.postEphemeral", error=code)
    reply(house.client, ask(), LONG_ANSWER)
    assert house.whisper("ana").text == LONG_ANSWER.text
    (text,) = files(house, "direct").values()
    assert text == "one & <two>\n\n" + "y" * 2500
    assert files(house) == {}


def test_the_same_by_a_response_url(house: House) -> None:
    person = house.slack.workspace.person("ana")
    url = house.slack.new_handles(person, "C0SECURITY").response_url
    too_long = Message("Nine things were found.", (section("z" * 3001),))
    reply(house.client, ask(), too_long, url=url)
    assert house.whisper("ana").text == too_long.text
    assert list(files(house, "direct").values()) == ["z" * 3001]
    assert not house.slack.calls_of("chat.postEphemeral"), "the words went the same way"


def test_an_answer_that_slack_takes_has_no_file(house: House) -> None:
    reply(house.client, ask(), LONG_ANSWER)
    assert house.slack.files() == ()


def test_a_refused_digest_has_its_whole_below_it(house: House) -> None:
    house.slack.faults.add("chat.postMessage", error="msg_too_long")
    fire = Fire(fire_id="f-1", schedule_id="s-1", slot="1", due_at=house.now, not_before=house.now)
    post_once(Poster(house.client, "C0SECURITY"), fire, "countersign_digest", lambda: LONG_ANSWER)
    assert house.card().text == LONG_ANSWER.text
    (below,) = house.replies(house.card())
    assert house.slack.file_content(below.files[0]).decode() == "one & <two>\n\n" + "y" * 2500


def test_the_words_of_a_message_leave_out_its_buttons_and_need_no_valid_blocks() -> None:
    button = ActionsBlock(elements=[ButtonElement(text="Press", action_id="x")])
    blocks = (
        header("Title"),
        fields([("Name", "value")]),
        button,
        context("small &lt;print&gt;"),
        section("w" * 9000),
    )
    assert words_of(Message("short", blocks)) == "\n\n".join(
        ["Title", "*Name*\nvalue", "small <print>", "w" * 9000]
    )
    assert words_of(Message("a &amp; b")) == "a & b"


def test_a_plan_in_words_hides_nothing() -> None:
    action = replace(
        cards.ACTION, before={"A": None}, after={"A": LONG}, untouched=("tags",), notes=("mind",)
    )
    text = plan_in_words(cards.pending(plan=cards.a_plan(action)))
    assert f"    after:  {LONG}\n" in text
    assert "before: not set" in text
    assert "stays as it is: tags" in text
    assert "note: mind" in text
