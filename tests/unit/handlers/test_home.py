"""The home: what it shows, when it is drawn, and what its buttons do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actor import Actor
from audit.findings import FindingStatus, Severity
from audit.lifecycle import RowHead
from bot.sandbox import View
from bot.sandbox.checks import check_view
from handlers.blocks.card import CardRules
from handlers.blocks.home import HomePage, Picture, Standing, build_home, build_plain_home, draw_trend
from handlers.blocks.views import (
    build_details_view,
    build_reading_view,
    build_review_view,
    build_roll_back_view,
    build_unreadable_view,
)
from remediation.audience import HOME_EVERY
from remediation.execution import ActionResult
from remediation.states import ActionStatus, PlaybookStatus
from tests.databases import stores_in_memory
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.golden import check_golden_view
from tests.unit.handlers.house import DOOR, House
from tests.unit.handlers.test_batch_cards import a_batch

RULES = CardRules(required_approvals=1, environment="production")


def a_row(scanner: str, account_id: str, score: float | None) -> RowHead:
    return RowHead(scanner=scanner, account_id=account_id, report_id="r-1", most_findings=1, score=score)


STANDING = Standing(
    open={Severity.CRITICAL: 2, Severity.LOW: 1200},
    overdue={Severity.CRITICAL: 1},
    rows=(a_row("Prowler", "123456789012", 70.0),),
    scores=(20.0, 61.5, 70.0),
    report_name="monday.json",
    reported_at=cards.AT,
)
PICTURE = Picture(file_id="F0TREND", alt_text="Failing findings over 3 reports, newest first.")
_NASTY = st.sampled_from(["<!channel>", "&" * 1500, "漢" * 900, "`" * 500, " ", "\n*x*\n", "\0\u202e"])


def a_page(**changes: object) -> HomePage:
    page = HomePage(
        standing=STANDING,
        waiting=[cards.pending()],
        requests=[cards.in_state(PlaybookStatus.RUNNING)],
        recent=[cards.in_state(PlaybookStatus.COMPLETED), cards.in_state(PlaybookStatus.REJECTED)],
        drawn_at=cards.AT,
    )
    return replace(page, **changes)  # type: ignore[arg-type]


def test_homes_on_file() -> None:
    check_golden_view("home", build_home(a_page()))
    check_golden_view("home_picture", build_home(a_page(standing=replace(STANDING, picture=PICTURE))))
    waits = a_page(waiting=[], rollbacks=[cards.rollback_asked()], rollback_approvals=2)
    check_golden_view("home_rollback", build_home(waits))
    empty = HomePage(standing=Standing(open={}), problem="Slack does not answer", drawn_at=cards.AT)
    check_golden_view("home_empty", build_home(empty))
    check_golden_view("home_plain", build_plain_home(cards.AT))


def test_each_row_has_its_score() -> None:
    others = [a_row("Prowler", "210987654321", 88.0), a_row("Security <Hub>", "", None)]
    words = score_words(others)
    assert "*Security score* (Prowler, 123456789012): *70* of 100" in words
    assert words.endswith("Elsewhere: Prowler, 210987654321: *88*  ·  Security &lt;Hub&gt;: not known")
    assert score_words(others * 3).endswith("  ·  1 more")
    assert "Elsewhere" not in score_words([])


def score_words(others: list[RowHead]) -> str:
    """Return what a home says of the score, with these rows beside the first."""
    page = a_page(standing=replace(STANDING, rows=(*STANDING.rows, *others)))
    return str(build_home(page).to_dict()["blocks"][1]["text"]["text"])


def test_windows_on_file() -> None:
    check_golden_view("window_review", build_review_view(cards.pending(), RULES))
    check_golden_view("window_details", build_details_view(cards.in_state(PlaybookStatus.FAILED), RULES))
    done = cards.in_state(PlaybookStatus.COMPLETED)
    check_golden_view("window_reading", build_reading_view(done, RULES))
    check_golden_view("window_unreadable", build_unreadable_view(done, RULES, "Access denied."))
    check_golden_view("window_roll_back", build_roll_back_view(done, RULES, cards.PREVIEW))
    asked = build_roll_back_view(cards.rollback_asked(), replace(RULES, rollback_approvals=2), cards.PREVIEW)
    check_golden_view("window_sign_rollback", asked)


@settings(max_examples=share(15), deadline=None)
@given(st.lists(_NASTY, min_size=4, max_size=4))
def test_the_fullest_home_fits_whatever_it_says(texts: list[str]) -> None:
    finding = replace(cards.FINDING, title=texts[0], resource=texts[1], id=texts[2])
    done = replace(
        cards.in_state(PlaybookStatus.COMPLETED),
        finding=finding,
        playbook={"playbook_id": texts[3], "name": texts[2]},
        plan=cards.a_plan(*[replace(cards.ACTION, before={texts[0]: texts[1]}, untouched=tuple(texts))] * 9),
        actions=tuple(
            ActionResult(text, ActionStatus.FAILED, text, before={"x": text}) for text in texts * 2
        ),
        channel=texts[0],
    )
    waiting = replace(done, status=PlaybookStatus.PENDING)
    hostile = tuple(replace(cards.PREVIEW[0], setting=text, was=text, now=text) for text in texts * 9)
    asked = replace(done, rollback=cards.rollback_asked().rollback)
    batches = [
        a_batch(waiting, batch_id=f"b-{number}", channel=texts[0], playbook_name=texts[1])
        for number in range(20)
    ]
    page = a_page(
        standing=replace(STANDING, report_name=texts[0], picture=replace(PICTURE, alt_text="x" * 1900)),
        waiting=[*batches[:4], *[waiting] * 50],
        rollbacks=[asked] * 20,
        requests=[done] * 20,
        recent=[done] * 20,
    )
    for view in (
        build_home(page),
        build_home(replace(page, waiting=batches * 2)),
        build_home(replace(page, rollbacks=[])),
        build_review_view(waiting, RULES),
        build_details_view(done, RULES),
        build_reading_view(done, RULES),
        build_unreadable_view(done, RULES, texts[0] * 30),
        build_roll_back_view(done, RULES, hostile),
    ):
        sent = view.to_dict()
        assert check_view(sent) == []
        assert "<!channel>" not in str(sent)


def test_a_trend_in_bars_and_in_words() -> None:
    assert draw_trend([0, 50, 100, -5, 900]) == "▁▅█▁█"
    said = str(build_home(a_page()).to_dict())
    assert "*70* of 100, 8.5 higher than before" in said
    assert "the same as before" in str(
        build_home(a_page(standing=replace(STANDING, scores=(5.0, 5.0)))).to_dict()
    )


def test_a_plan_that_cannot_be_shown_whole_is_only_read() -> None:
    huge = replace(cards.ACTION, after={"setting": "x" * 20_000})
    view = build_review_view(cards.pending(plan=cards.a_plan(huge)), RULES)
    assert view.submit is None
    assert build_review_view(cards.pending(), RULES).submit is not None


def home_of(house: House, user: str) -> View:
    person = house.slack.workspace.person(user).id
    view = house.slack.home(person)
    assert view is not None
    return view


def look(house: House, user: str) -> View:
    assert house.slack.open_home(user).ok
    house.work()
    return home_of(house, user)


def pass_time(house: House) -> None:
    """Let enough time go by for every home to be drawn again, and do what the sweep finds."""
    house.now += HOME_EVERY
    house.sweep_homes()


def actions_of(view: View) -> list[str]:
    found = [
        element["action_id"]
        for block in view.blocks
        for element in block.get("elements", [])
        if "action_id" in element
    ]
    return found + [block["accessory"]["action_id"] for block in view.blocks if "accessory" in block]


def test_it_is_drawn_for_whoever_opens_it(make_house: MakeHouse) -> None:
    stores = stores_in_memory()
    house = make_house(stores=stores)
    house.ingest(DOOR, replace(DOOR, id="F-2", check_id="x", status=FindingStatus.PASS))
    while stores.tracker.catch_up(house.now):
        pass
    said = str(look(house, "otto").payload)
    assert "🟠 High 1" in said
    assert "*50* of 100" in said
    assert "scan.json" in said


def test_the_trend_is_that_of_one_account_however_many_report(make_house: MakeHouse) -> None:
    stores = stores_in_memory()
    house = make_house(stores=stores)
    passed = replace(DOOR, id="F-2", check_id="x", status=FindingStatus.PASS)
    house.ingest(DOOR, passed)
    house.now += timedelta(minutes=1)
    for number in range(21):
        house.ingest(replace(DOOR, account_id=f"{number:012d}"), name=f"other-{number}.json")
    house.now += timedelta(minutes=1)
    house.ingest(DOOR, passed)
    assert "the last 2 reports from 50 to 50" in str(look(house, "otto").payload)


def test_what_never_ran_is_not_among_what_ran(house: House) -> None:
    card = house.ask()
    house.click("omar", card, "approve")
    done = house.execution()
    for number in range(30):
        status = PlaybookStatus.REJECTED if number % 2 else PlaybookStatus.EXPIRED
        later = done.created_at + timedelta(minutes=number)
        other = replace(done, execution_id=f"x-{number:06d}", status=status, created_at=later)
        house.stores.executions.by_id[other.execution_id] = other
    said = str(look(house, "otto").payload).split("What ran lately")[1]
    assert done.execution_id in said
    assert "x-0000" not in said


def test_what_waits_is_shown_to_those_who_may_sign(house: House) -> None:
    house.ask()
    assert actions_of(look(house, "omar")) == ["home_review", "reject"]
    assert actions_of(look(house, "otto")) == []
    assert actions_of(look(house, "ana")) == ["home_details"], "her own request, to look at"


def test_a_directory_that_does_not_answer_is_said(house: House) -> None:
    house.ask()
    house.slack.faults.add("usergroups.users.list", error="missing_scope")
    view = look(house, "omar")
    assert "This cannot be told" in str(view.payload)
    assert "home_review" not in actions_of(view)


def test_it_is_fresh_after_every_change(house: House) -> None:
    look(house, "omar")
    house.now += HOME_EVERY
    card = house.ask()
    assert "home_review" in actions_of(home_of(house, "omar"))
    house.click("priya", card, "approve")
    pass_time(house)
    assert "home_review" not in actions_of(home_of(house, "omar"))
    assert "home_rollback" in actions_of(home_of(house, "omar"))


def test_a_new_report_is_shown_without_anybody_saying_so(house: House) -> None:
    look(house, "omar")
    house.ingest()
    pass_time(house)
    assert "scan.json" in str(home_of(house, "omar").payload)


def test_many_changes_in_a_moment_are_one_drawing(house: House) -> None:
    look(house, "omar")
    house.ask()
    house.click("omar", house.card(), "approve")
    assert len(house.slack.calls_of("views.publish")) == 1
    pass_time(house)
    assert len(house.slack.calls_of("views.publish")) == 2
    pass_time(house)
    assert len(house.slack.calls_of("views.publish")) == 2


def test_an_event_delivered_again_is_drawn_once(house: House) -> None:
    for _ in range(3):
        assert house.slack.open_home("omar").ok
    house.work()
    assert len(house.slack.calls_of("views.publish")) == 1


@pytest.mark.parametrize("tab", ["messages", ""])
def test_other_tabs_are_no_home(house: House, tab: str) -> None:
    assert house.slack.event({"type": "app_home_opened", "user": "U0OMAR", "tab": tab}).ok
    assert house.hands.next(timeout_s=0) is None


def test_what_slack_does_not_take_is_drawn_later(house: House) -> None:
    house.slack.faults.add("views.publish", error="internal_error")
    assert house.slack.open_home("omar").ok
    house.work()
    assert house.slack.home("U0OMAR") is None
    pass_time(house)
    assert home_of(house, "omar")


def test_a_person_who_is_gone_is_forgotten(house: House) -> None:
    house.slack.faults.add("views.publish", error="user_not_found")
    assert house.slack.open_home("omar").ok
    house.work()
    assert house.stores.homes.by_name == {}


def test_blocks_that_slack_refuses_leave_words(house: House) -> None:
    house.slack.faults.add("views.publish", error="invalid_arguments")
    view = look(house, "omar")
    assert "could not be shown" in str(view.payload)


def test_who_somebody_is_is_not_asked_for_every_drawing(house: House) -> None:
    house.ask()
    look(house, "omar")
    asked = len(house.slack.calls_of("usergroups.users.list"))
    house.now += HOME_EVERY
    look(house, "omar")
    assert len(house.slack.calls_of("usergroups.users.list")) == asked
    house.now += timedelta(minutes=6)
    look(house, "omar")
    assert len(house.slack.calls_of("usergroups.users.list")) == asked + 1


def window(house: House, user: str, action_id: str) -> View:
    assert house.slack.click(user, look(house, user), action_id).ok
    return house.window(user)


def test_a_plan_is_reviewed_and_signed(house: House) -> None:
    house.ask()
    shown = window(house, "omar", "home_review")
    assert house.execution().plan is not None
    assert house.execution().plan.digest in str(shown.payload)  # type: ignore[union-attr]
    assert house.execution().decisions == ()
    assert house.slack.submit_view("omar", shown).accepted
    house.work()
    assert house.execution().status is PlaybookStatus.COMPLETED


def test_a_plan_drawn_up_anew_is_not_signed_by_an_older_window(house: House) -> None:
    card = house.ask()
    shown = window(house, "omar", "home_review")
    house.board.switches["door"] = "half"
    house.click("priya", card, "approve")
    assert house.slack.submit_view("omar", shown).accepted
    house.work()
    assert house.execution().status is PlaybookStatus.PENDING
    assert "out of date" in house.slack.messages("@omar")[-1].text


def test_a_fix_is_rolled_back_from_the_home(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    opened = window(house, "omar", "home_rollback")
    assert "submit" not in opened.payload, "nothing to submit before it is read"
    house.work()
    shown = house.slack.views("omar")[-1]
    assert "was `open`, we set `closed`, now `closed`" in str(shown.payload)
    assert house.board.switches["door"] == "closed"
    assert house.slack.submit_view("omar", shown).accepted
    house.work()
    assert house.board.switches["door"] == "open"


def test_details_can_be_read_and_not_submitted(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    shown = (
        window(house, "otto", "home_details") if "home_details" in actions_of(look(house, "otto")) else None
    )
    assert shown is not None
    assert "submit" not in shown.payload
    assert "<@U0OMAR> approved" in str(shown.payload)


def test_a_rejection_from_the_home_asks_why(house: House) -> None:
    house.ask()
    form = window(house, "omar", "reject")
    assert house.slack.submit_view("omar", form, {"reason": "Not today"}).accepted
    house.work()
    assert house.execution().status is PlaybookStatus.REJECTED


def test_a_window_that_slack_does_not_open_is_acknowledged_and_said(house: House) -> None:
    house.ask()
    view = look(house, "omar")
    house.slack.faults.add("views.open", error="expired_trigger_id")
    assert house.slack.click("omar", view, "home_review").ok
    (said,) = house.slack.wait_for(lambda: house.slack.messages("@omar"))
    assert "Click once more" in said.text


def test_a_person_without_a_workspace_is_still_one(house: House) -> None:
    assert house.stores.homes.opened(Actor(slack_id="U0OMAR"), house.now) == "/U0OMAR"
