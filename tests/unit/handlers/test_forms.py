"""Bare `/report` and `/playbook`: a form with pickers that does what the typed words do."""

from dataclasses import replace

import pytest

from audit.findings import Severity
from bot.sandbox import View
from bot.sandbox.delivery import Delivery
from exporters.cadence import WEEKDAY_NAMES
from exporters.formats import export_formats
from handlers.blocks.forms import (
    PLAYBOOK_WORDS,
    REPORT_WORDS,
    build_playbook_form,
    build_report_form,
    finding_options,
    playbook_options,
    report_options,
)
from handlers.blocks.schedule_form import build_schedule_form
from handlers.vocabulary import PLAYBOOK, REPORT
from remediation.library import PlaybookLibrary
from tests.databases import stores_in_memory
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.golden import check_golden_view
from tests.unit.handlers.house import CHANNEL, DOOR, House
from tests.unit.remediation.hall import hall_playbook

FORMATS = {"html": "a page for a browser", "json": "for programs"}


def opened(house: House, command: str, user: str = "ana", channel: str = CHANNEL) -> View:
    assert house.slack.command(user=user, channel=channel, text=command).ok
    wanted = f"{command.strip().removeprefix('/')}_form"
    return house.slack.wait_for(lambda: _with(house.slack.views(user), wanted))


def _with(views: tuple[View, ...], callback_id: str) -> View | None:
    return next((view for view in views if view.payload["callback_id"] == callback_id), None)


def test_forms_on_file() -> None:
    check_golden_view(
        "report_form", build_report_form(FORMATS, channel="C0SECURITY", channel_name="security")
    )
    check_golden_view("playbook_form", build_playbook_form(channel="C0SECURITY", channel_name="security"))


def test_no_choice_is_cut_short_and_each_is_a_word_of_its_command() -> None:
    formats, where = (
        {n: k.description for n, k in export_formats().items()},
        {"channel": "", "channel_name": ""},
    )
    views = [
        build_report_form(formats, **where),
        build_playbook_form(**where),
        build_schedule_form(formats, WEEKDAY_NAMES, **where),
    ]
    fixed = [
        each
        for view in views
        for block in view.to_dict()["blocks"]
        for each in block.get("element", {}).get("options", ())
    ]
    said = [each[part]["text"] for each in fixed for part in ("text", "description") if part in each]
    assert len(said) > 30
    assert [text for text in said if text.endswith("…")] == []
    assert all(REPORT.word(name) for name in REPORT_WORDS)
    assert all(PLAYBOOK.word(name) for name in PLAYBOOK_WORDS)


def test_a_bare_command_opens_its_form_and_waits_for_nobody(house: House) -> None:
    assert opened(house, "/report").payload["callback_id"] == "report_form"
    assert opened(house, "/playbook  ").payload["callback_id"] == "playbook_form"
    assert house.hands.next(timeout_s=0) is None
    assert house.whispers("ana") == []


def test_a_form_that_slack_does_not_open_leaves_the_help_page(house: House) -> None:
    house.slack.faults.add("views.open", error="expired_trigger_id")
    house.command("ana", "/report")
    assert "/report export" in house.whisper("ana").words


def test_findings_are_offered_worst_first_each_once_and_found_by_words(house: House) -> None:
    window = replace(
        DOOR, id="F-2", resource="board/window", title="Window is open", severity=Severity.CRITICAL
    )
    house.ingest(DOOR, DOOR, window)
    form = opened(house, "/playbook")
    offered = house.slack.suggest("ana", form, "pick_finding").options
    assert [option.value for option in offered] == [window.handle, DOOR.handle]
    assert offered[0].text == "🔴 Critical Window is open"
    assert [o.value for o in house.slack.suggest("ana", form, "pick_finding", "WINDOW").options] == [
        window.handle
    ]
    assert house.slack.suggest("ana", form, "pick_finding", "%").options == ()


def test_findings_of_every_report_are_offered(make_house: MakeHouse) -> None:
    stores = stores_in_memory()
    house = make_house(stores=stores)
    house.ingest(DOOR)
    window = replace(DOOR, id="F-2", account_id="210987654321", title="Window is open")
    house.ingest(window)
    form = opened(house, "/playbook")
    for _ in range(2):  # while the reports are worked in, and when they are
        offered = house.slack.suggest("ana", form, "pick_finding").options
        assert {option.value for option in offered} == {DOOR.handle, window.handle}
        while stores.tracker.catch_up(house.now):
            pass
    offered = house.slack.suggest("ana", form, "pick_finding", "door is").options
    assert [option.value for option in offered] == [DOOR.handle]


def test_reports_and_playbooks_are_offered(house: House) -> None:
    old = house.ingest(name="monday.json")
    house.ingest(name="<!channel> " * 40)
    form = opened(house, "/report")
    assert len(house.slack.suggest("ana", form, "pick_report").options) == 2
    assert [o.value for o in house.slack.suggest("ana", form, "pick_report", "Monday").options] == [old]
    form = opened(house, "/playbook")
    assert [o.value for o in house.slack.suggest("ana", form, "pick_playbook", "door").options] == [
        "CLOSE-DOOR"
    ]


def test_no_more_is_offered_than_slack_takes() -> None:
    findings = [
        replace(DOOR, id=str(number), resource=f"door {number}", title="<!channel>" * 90)
        for number in range(150)
    ]
    assert len(finding_options(findings)) == 100
    assert max(len(option.to_dict()["text"]["text"]) for option in finding_options(findings)) <= 75
    books = list(PlaybookLibrary.get_all_playbooks().values()) * 11
    assert len(playbook_options(books)) == 100
    books[0].playbook_id = "x" * 151
    assert "x" * 151 not in [option.value for option in playbook_options(books)]
    assert report_options([]) == []


def test_a_fix_is_asked_for_by_picking(house: House) -> None:
    house.ingest()
    form = opened(house, "/playbook")
    house.slack.suggest("ana", form, "pick_finding")
    house.slack.suggest("ana", form, "pick_playbook")
    chosen = {"word": "run", "pick_finding": [DOOR.handle], "pick_playbook": "CLOSE-DOOR"}
    assert house.slack.submit_view("ana", form, chosen).accepted
    house.work()
    assert house.execution().requester.slack_id == "U0ANA"
    assert house.card().action_ids == ("approve", "reject")
    assert "Planned" in house.whisper("ana").text


def test_a_form_submitted_twice_is_one_request(house: House) -> None:
    house.ingest()
    form = opened(house, "/playbook")
    house.slack.suggest("ana", form, "pick_finding")
    house.slack.suggest("ana", form, "pick_playbook")
    chosen = {"word": "run", "pick_finding": [DOOR.handle], "pick_playbook": "CLOSE-DOOR"}
    payload = house.slack.new_interaction(house.slack.workspace.person("ana"), form, "view_submission")
    assert house.slack.submit_view("ana", form, chosen).accepted
    house.work()
    assert len(house.stores.inbox.by_id) == 1
    again = {**payload, "view": {**payload["view"], "state": {"values": _values(chosen)}}}
    assert house.slack.deliver(Delivery("interactive", again)).ok
    house.work_off()
    assert len(house.stores.inbox.by_id) == 1
    assert len(house.services.executions.history()) == 1


def _values(chosen: dict[str, object]) -> dict[str, object]:
    return {name: {name: _picked(value)} for name, value in chosen.items()}


def _picked(value: object) -> dict[str, object]:
    if isinstance(value, list):
        return {"selected_options": [{"value": each} for each in value]}
    return {"selected_option": {"value": value}}


def test_several_findings_are_asked_for_on_one_card(house: House) -> None:
    doors = [replace(DOOR, id=f"F-{number}", resource=f"board/door-{number}") for number in (1, 2)]
    house.ingest(*doors)
    book = hall_playbook()
    house.services.playbooks[book.playbook_id] = book  # type: ignore[index]
    house.board.switches.update({door.resource: "open" for door in doors})
    form = opened(house, "/playbook")
    house.slack.suggest("ana", form, "pick_finding")
    house.slack.suggest("ana", form, "pick_playbook")
    chosen = {"word": "run", "pick_finding": [door.handle for door in doors]}
    assert list(house.slack.submit_view("ana", form, chosen).errors) == ["pick_playbook"]
    asked = house.slack.submit_view("ana", form, {**chosen, "pick_playbook": "CLOSE-DOORS"})
    assert asked.accepted
    house.work()
    assert "2 at once" in house.card().words


@pytest.mark.parametrize(
    ("command", "word", "field"),
    [
        ("/playbook", "run", "pick_finding"),
        ("/playbook", "show", "pick_playbook"),
        ("/report", "export", "format"),
        ("/report", "email", "addresses"),
    ],
)
def test_what_is_missing_is_said_in_the_form(house: House, command: str, word: str, field: str) -> None:
    form = opened(house, command)
    assert list(house.slack.submit_view("ana", form, {"word": word}).errors) == [field]
    assert house.slack.views("ana"), "it stays open"
    assert house.stores.inbox.by_id == {}


def test_words_that_are_no_address_are_said_in_the_form(house: House) -> None:
    form = opened(house, "/report")
    answer = house.slack.submit_view("ana", form, {"word": "email", "addresses": "ciso, a@b.example"})
    assert list(answer.errors) == ["addresses"]


@pytest.mark.parametrize(
    ("command", "chosen", "says"),
    [
        ("/report", {"word": "show"}, "Door is open"),
        ("/playbook", {"word": "pending"}, "Nothing waits"),
        ("/playbook", {"word": "history"}, "Nothing was ever"),
    ],
)
def test_the_others_answer_privately(house: House, command: str, chosen: dict[str, str], says: str) -> None:
    house.ingest()
    assert house.slack.submit_view("ana", opened(house, command), chosen).accepted
    house.work()
    assert says in house.whisper("ana").words


def test_a_file_goes_where_the_form_was_opened(house: House) -> None:
    house.ingest()
    assert house.slack.submit_view(
        "ana", opened(house, "/report"), {"word": "export", "format": "json"}
    ).accepted
    house.work()
    assert [file.channels for file in house.slack.files()] == [("C0SECURITY",)]
