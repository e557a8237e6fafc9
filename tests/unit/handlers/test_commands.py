"""Slash commands: what people type, and what they alone see."""

from dataclasses import replace

import pytest

from audit.errors import Cause, PermanentActionError
from audit.findings import FindingStatus, Severity
from handlers.vocabulary import COMMANDS
from remediation.policy import Policy
from remediation.states import PlaybookStatus
from tests.fakes.samples import a_finding
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, DOOR, House


@pytest.mark.parametrize("text", ["help", "HELP"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_names_every_word_with_an_example(house: House, command: object, text: str) -> None:
    house.command("ana", f"{command.name} {text}")  # type: ignore[attr-defined]
    said = house.whisper("ana").words
    for word in command.words:  # type: ignore[attr-defined]
        assert word.description in said
        assert word.example in said
    assert house.cards() == [], "nobody else saw it"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/report lst", "/report list"),
        ("/report Exprot html", "/report export html"),
        ("/playbook rnu AWS f-1", "/playbook run"),
        ("/playbook run", "/playbook run"),
        ("/report export", "/report export html"),
        ("/report list everything", "/report list"),
        ("/report export html latest please", "/report export html"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest(house: House, typed: str, meant: str) -> None:
    house.command("ana", typed)
    assert f"Did you mean `{meant}" in house.whisper("ana").words


def test_a_word_like_no_other_gets_the_usage(house: House) -> None:
    house.command("ana", "/report <!channel> xyzzy")
    said = house.whisper("ana").words
    assert "Did you mean" not in said
    assert "/report show [REPORT]" in said


@pytest.mark.parametrize("text", ['/report show "open', "/report " + "x" * 1200, "/report " + "x " * 30])
def test_a_command_that_cannot_be_read_says_why(house: House, text: str) -> None:
    house.command("ana", text)
    assert house.whispers("ana")


def test_no_reports_yet(house: House) -> None:
    house.command("ana", "/report list")
    assert "no reports yet" in house.whisper("ana").text


def test_reports_with_date_source_score_and_failing_counts(house: House) -> None:
    house.ingest(
        DOOR, replace(DOOR, id="F-2", check_id="other", status=FindingStatus.PASS), name="scan <1>.json"
    )
    house.command("ana", "/report list")
    said = house.whisper("ana").words
    assert "scan &lt;1&gt;.json" in said
    assert "prowler-ocsf" in said
    assert "score 50 of 100" in said
    assert "🟠 High 1" in said
    assert "Critical" not in said


def test_many_reports_fit(house: House) -> None:
    for number in range(14):
        house.ingest(name=f"{'long name ' * 30}{number}")
    house.command("ana", "/report list")
    assert house.whisper("ana").action_ids == ("page_next",)


def test_a_report_shows_the_worst_first_with_the_command_that_fixes_it(house: House) -> None:
    low = a_finding(2, severity=Severity.LOW)
    house.ingest(
        low, replace(low, id="p", check_id="q", status=FindingStatus.PASS, severity=Severity.CRITICAL), DOOR
    )
    house.command("ana", "/report show")
    said = house.whisper("ana").words
    assert said.index(DOOR.handle) < said.index(low.handle)
    assert f"/playbook run CLOSE-DOOR {DOOR.handle}" in said
    assert said.count("/playbook run") == 1, "no playbook answers the other one"


def test_a_report_with_a_thousand_findings_fits(house: House) -> None:
    house.ingest(*(a_finding(number, title="x" * 3000) for number in range(1000)))
    house.command("ana", "/report show latest")
    assert "f-" in house.whisper("ana").words


def test_a_report_that_is_not_there(house: House) -> None:
    house.ingest()
    house.command("ana", "/report show r-nope<!channel>")
    said = house.whisper("ana").text
    assert "r-nope&lt;!channel&gt;" in said
    assert said.endswith("`/report list` shows the newest.")


def test_a_report_says_how_many_findings_are_not_shown_and_which_do_not_count(house: House) -> None:
    muted = [replace(a_finding(number), muted=True) for number in range(100, 102)]
    manual = replace(a_finding(200), status=FindingStatus.MANUAL)
    house.ingest(*(a_finding(number) for number in range(13)), *muted, manual)
    house.command("ana", "/report show")
    said = house.whisper("ana").words
    assert "3 more fail" in said
    assert "16, of which 0 pass, 2 muted and 1 for review" in said


def test_a_report_that_is_shown_whole_speaks_of_no_more(house: House) -> None:
    house.ingest()
    house.command("ana", "/report show")
    said = house.whisper("ana").words
    assert "more fail" not in said
    assert "muted" not in said
    assert "for review" not in said


def test_report_help_lists_what_can_be_exported(house: House) -> None:
    house.command("ana", "/report help")
    said = house.whisper("ana").words
    for kind in house.services.exports.formats.values():
        assert kind.name in said
        assert kind.description in said
    house.command("ana", "/playbook help")
    assert "sarif" not in house.whisper("ana").words


def test_an_export_is_posted_where_it_was_asked_for(house: House) -> None:
    report_id = house.ingest()
    house.command("ana", "/report export json")
    posted = house.card()
    assert "<@U0ANA>" in posted.text
    content = house.slack.file_content(posted.files[0])
    assert report_id.encode() in content
    entry = house.stores.trail.entries[-1]
    assert b"report.exported" in entry.body
    assert b"U0ANA" in entry.body


def test_an_export_in_a_direct_message_comes_to_our_own_conversation(house: House) -> None:
    house.ingest()
    house.command("ana", "/report export csv", channel="@ana")
    assert [message.files for message in house.slack.messages("@ana") if message.files]


def test_a_direct_message_between_others_is_not_where_a_file_goes(house: House) -> None:
    house.ingest()
    where = {"channel_id": "D0OTHERS", "channel_name": "directmessage", "trigger_id": "1"}
    house.put_command("/report", {"text": "export json", **where})
    house.work()
    assert [message.files for message in house.slack.messages("@ana") if message.files]


def test_a_conversation_slack_does_not_open_is_said(house: House) -> None:
    house.ingest()
    house.slack.faults.add("conversations.open", error="missing_scope")
    house.command("ana", "/report export json", channel="@ana")
    assert "manifest.yml" in house.whisper("ana", "@ana").text


@pytest.mark.parametrize("text", ["latest", "r-1 r-2 a@b.example", "html csv a@b.example"])
def test_a_mail_needs_an_address_and_at_most_one_format_and_report(house: House, text: str) -> None:
    house.ingest()
    house.command("ana", f"/report email {text}")
    assert "/report email ciso@company.com" in house.whisper("ana").text


@pytest.mark.parametrize("text", ["ana@northwind.example, b@nowhere", "ana@northwind.example;b@nowhere,"])
def test_addresses_may_stand_with_commas_between(
    house: House, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    house.ingest()
    for name, value in {"SMTP_SERVER": "127.0.0.1", "SENDER_EMAIL": "bot@northwind.example"}.items():
        monkeypatch.setenv(name, value)
    house.command("ana", f"/report email {text}")
    assert "“b@nowhere”" in house.whisper("ana").text


def test_a_bot_without_mail_settings_says_which_is_missing(house: House) -> None:
    house.ingest()
    house.command("ana", "/report email ciso@northwind.example")
    assert "SMTP_SERVER is not set" in house.whisper("ana").text
    assert b"report.exported" not in house.stores.trail.entries[-1].body


def test_an_unknown_format_is_named_with_the_nearest(house: House) -> None:
    house.ingest()
    house.command("ana", "/report export htlm")
    assert "Did you mean html?" in house.whisper("ana").text
    assert house.slack.files() == ()


def test_an_export_where_we_are_no_member_says_what_to_do(house: House) -> None:
    house.ingest()
    house.command("ana", "/report export json", channel="#random")
    assert "/invite @Countersign" in house.whisper("ana", "#random").text


def test_playbooks_listed_and_shown(house: House) -> None:
    house.command("ana", "/playbook list")
    assert "CLOSE-DOOR" in house.whisper("ana").words
    house.command("ana", "/playbook show close-door")
    said = house.whisper("ana").words
    assert "*Close door* (`close_door`): with `name` `door` and `to` `closed`" in said
    assert "door_closed" in said
    assert "1 of: <!subteam^S0SEC>" in said


def test_an_unknown_playbook_names_the_nearest(house: House) -> None:
    house.command("ana", "/playbook show CLOSE-DOR")
    assert "Did you mean CLOSE-DOOR?" in house.whisper("ana").text


def test_a_finding_alone_is_answered_with_the_playbook_for_it(house: House) -> None:
    house.ingest()
    house.command("ana", f"/playbook run {DOOR.handle}")
    said = house.whisper("ana").text
    assert "it answers the check" in said
    assert f"`/playbook run CLOSE-DOOR {DOOR.handle}`" in said
    assert house.cards() == []


def test_a_finding_that_no_playbook_answers(house: House) -> None:
    other = a_finding(2)
    house.ingest(other)
    house.command("ana", f"/playbook run {other.handle}")
    assert house.whisper("ana").text.startswith(f"No playbook answers {other.handle}")


def test_a_playbook_alone_asks_for_the_finding(house: House) -> None:
    house.command("ana", "/playbook run close-door")
    assert house.whisper("ana").text.startswith("Which finding is close-door to fix?")


def test_an_unknown_finding(house: House) -> None:
    house.ingest()
    house.command("ana", "/playbook run CLOSE-DOOR f-00000000")
    said = house.whisper("ana").text
    assert said.startswith("No finding goes by “f-00000000”. ")
    assert said.endswith("`/report show` shows findings with their handles.")
    assert house.cards() == []


def test_nothing_to_do_is_said_privately_and_no_card_is_posted(house: House) -> None:
    house.ingest()
    house.board.switches["door"] = "closed"
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert "nothing to do" in house.whisper("ana").text
    assert house.cards() == []


def test_a_plan_that_cannot_be_drawn_up_is_explained_privately(house: House) -> None:
    def deny() -> None:
        raise PermanentActionError("may not read <the door>", cause=Cause.DENIED, request_id="R1")

    house.ingest()
    house.board.faults["read"] = deny
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    said = house.whisper("ana").text
    assert "may not read &lt;the door&gt; (request R1)" in said
    assert "Next: give the bot's role" in said
    assert house.cards() == []


def test_a_fix_asked_for_in_a_direct_message_needs_a_channel_for_its_card(house: House) -> None:
    house.ingest()
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}", channel="@ana")
    assert "nobody else could see the card" in house.whisper("ana", "@ana").text
    assert house.services.executions.history() == []


def test_or_goes_to_the_configured_channel(make_house: MakeHouse) -> None:
    house = make_house(channel="C0GENERAL")
    house.ingest()
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}", channel="@ana")
    assert house.cards("#general")[-1].action_ids == ("approve", "reject")
    assert "<#C0GENERAL>" in house.whisper("ana", "@ana").text


def test_a_playbook_without_approval_is_refused_unless_the_policy_names_it(house: House) -> None:
    house.ingest()
    house.services.playbooks["CLOSE-DOOR"].requires_approval = False
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert "unattended_playbooks" in house.whisper("ana").text
    assert house.board.switches == {"door": "open"}


def test_a_named_playbook_runs_by_itself(make_house: MakeHouse) -> None:
    house = make_house(policy=replace(APPROVERS, unattended_playbooks=frozenset({"CLOSE-DOOR"})))
    house.ingest()
    house.services.playbooks["CLOSE-DOOR"].requires_approval = False
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert house.board.switches == {"door": "closed"}
    assert house.execution().status is PlaybookStatus.COMPLETED
    assert "Approved by the policy" in house.card().words


def test_a_bug_shows_a_reference_and_nothing_else(house: House) -> None:
    def bug() -> None:
        raise ZeroDivisionError("secret detail")

    house.ingest()
    house.board.faults["read"] = bug
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    said = house.whisper("ana").text
    assert said.startswith("Something went wrong on our side. Reference ")
    assert "secret" not in said


def test_whoever_has_no_approvers_learns_it_from_the_playbook(make_house: MakeHouse) -> None:
    house = make_house(policy=Policy())
    house.command("ana", "/playbook show CLOSE-DOOR")
    assert "nobody yet" in house.whisper("ana").words
