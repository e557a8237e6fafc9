"""Bare `/schedule`: a form that makes what the typed words make, and says below each field what is wrong with it."""

from collections.abc import Mapping

import pytest

from bot.sandbox import View
from exporters.cadence import WEEKDAY_NAMES
from exporters.schedules import Schedule, ScheduleKind
from handlers.blocks.schedule_form import build_schedule_form
from handlers.schedule_form import read_schedule_form
from tests.unit.handlers.golden import check_golden_view
from tests.unit.handlers.house import CHANNEL, House

SECURITY = "C0SECURITY"
DIGEST = {"word": "digest", "every": "daily"}


def opened(house: House) -> View:
    assert house.slack.command(user="ana", channel=CHANNEL, text="/schedule").ok
    form = house.slack.wait_for(lambda: next(iter(house.slack.views("ana")), None))
    assert form.payload["callback_id"] == "schedule_form"
    return form


def submitted(house: House, chosen: Mapping[str, str]) -> Schedule:
    form = opened(house)
    if "pick_zone" in chosen:
        house.slack.suggest("ana", form, "pick_zone", chosen["pick_zone"])
    answer = house.slack.submit_view("ana", form, {**DIGEST, **chosen})
    assert answer.accepted, answer.errors
    house.work()
    (schedule,) = house.stores.schedules.all()
    return schedule


def test_the_form_on_file() -> None:
    formats = {"html": "a page for a browser", "json": "for programs"}
    check_golden_view(
        "schedule_form",
        build_schedule_form(formats, WEEKDAY_NAMES, channel=SECURITY, channel_name="security"),
    )


def test_in_a_direct_message_no_channel_is_chosen_yet() -> None:
    form = build_schedule_form(
        {"html": "x"}, WEEKDAY_NAMES, channel="D1", channel_name="directmessage"
    ).to_dict()
    (block,) = (block for block in form["blocks"] if block.get("block_id") == "pick_channel")
    assert "initial_conversation" not in block["element"]


@pytest.mark.parametrize(
    ("chosen", "when", "to"),
    [
        ({}, "every day at 09:00 (UTC)", (SECURITY, (), "html")),
        (
            {"every": "weekly monday", "time": "08:30", "pick_zone": "Europe/Berlin", "format": "pdf"},
            "every Monday at 08:30 (Europe/Berlin)",
            (SECURITY, (), "pdf"),
        ),
        (
            {"every": "cron", "cron": "0 9 * * 7", "addresses": "a@x.example, b@x.example"},
            "every Sunday at 09:00 (UTC)",
            (SECURITY, ("a@x.example", "b@x.example"), "html"),
        ),
        ({"pick_channel": "C0GENERAL"}, "every day at 09:00 (UTC)", ("C0GENERAL", (), "html")),
    ],
)
def test_it_makes_what_was_chosen(
    house: House, chosen: dict[str, str], when: str, to: tuple[str, tuple[str, ...], str]
) -> None:
    schedule = submitted(house, chosen)
    assert schedule.kind is ScheduleKind.DIGEST
    assert schedule.cadence.describe() == when
    assert (schedule.channel, schedule.recipients, schedule.format) == to
    assert schedule.owner.slack_id == "U0ANA"
    assert "Scheduled:" in house.whisper("ana").words


def test_zones_are_offered_and_found_by_words(house: House) -> None:
    form = opened(house)
    assert [option.value for option in house.slack.suggest("ana", form, "pick_zone").options][:2] == [
        "UTC",
        "Europe/Berlin",
    ]
    found = house.slack.suggest("ana", form, "pick_zone", "new york").options
    assert [option.value for option in found] == ["America/New_York"]
    assert len(house.slack.suggest("ana", form, "pick_zone", "a").options) == 100
    assert house.slack.suggest("ana", form, "pick_zone", "<!channel>").options == ()


@pytest.mark.parametrize(
    ("chosen", "field", "says"),
    [
        ({"every": "cron"}, "cron", "minute, hour, day"),
        ({"every": "cron", "cron": "0 9 30 2 *"}, "cron", "never due"),
        ({"addresses": "ciso"}, "addresses", "not a plain address"),
        ({"fetch": "aws"}, "fetch", "Only where"),
        ({"word": "pull", "fetch": "everywhere"}, "fetch", "not a severity"),
        ({"word": "pull", "fetch": "aws eu-west-1 eu-west-2"}, "fetch", "one region"),
        ({"word": "pull", "addresses": "ciso@x.example"}, "addresses", "told in a channel"),
        ({"word": "pull", "format": "pdf"}, "format", "Only for a digest"),
        ({"word": "pull", "account": "1234"}, "account", "Only for a digest"),
    ],
)
def test_what_is_wrong_is_said_below_its_field(
    house: House, chosen: dict[str, str], field: str, says: str
) -> None:
    answer = house.slack.submit_view("ana", opened(house), {**DIGEST, **chosen})
    assert list(answer.errors) == [field]
    assert says in answer.errors[field]
    assert house.slack.views("ana"), "it stays open"
    assert house.stores.inbox.by_id == {}


def state(**fields: str) -> dict[str, object]:
    values = {name: {name: {"value": text}} for name, text in fields.items()}
    return {"view": {"state": {"values": values}}}


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"word": "digest", "every": "daily", "time": "09:00"}, ["pick_channel"]),
        ({"word": "pull", "every": "daily", "time": "09:00"}, ["pick_channel"]),
        ({"word": "digest", "every": "daily", "pick_channel": "C1"}, ["time"]),
        ({"word": "digest", "every": "cron"}, ["cron", "pick_channel"]),
    ],
)
def test_what_is_missing_is_said_all_at_once(fields: dict[str, str], missing: list[str]) -> None:
    assert list(read_schedule_form(state(**fields))[1]) == missing


def test_a_fetch_is_chosen_in_words_with_or_without_aws() -> None:
    when = {"word": "pull", "every": "weekly friday", "time": "06:00", "pick_channel": "C1"}
    said = ["weekly", "friday", "06:00", "UTC", "#C1", "pull", "aws", "eu-central-1", "critical"]
    assert read_schedule_form(state(**when, fetch="critical eu-central-1")) == (said, {})
    assert read_schedule_form(state(**when, fetch="aws eu-central-1 critical")) == (said, {})
    assert read_schedule_form(state(**when))[0][-2:] == ["pull", "aws"]


def test_one_account_is_a_word_of_its_own() -> None:
    fields = {
        "word": "digest",
        "every": "daily",
        "time": "09:00",
        "pick_channel": "C1",
        "account": "my account",
    }
    assert read_schedule_form(state(**fields)) == (["daily", "09:00", "UTC", "#C1", "account:my account"], {})


def test_a_form_that_slack_does_not_open_leaves_the_help_page(house: House) -> None:
    house.slack.faults.add("views.open", error="expired_trigger_id")
    house.command("ana", "/schedule")
    assert "/schedule daily" in house.whisper("ana").words
