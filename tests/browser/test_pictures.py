"""The pictures of the documentation, taken from the running page in the order of a week's work."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, expect

from bot.sandbox.cloud import PUBLIC_BUCKET
from tests.browser.pictures import KeepPicture
from tests.browser.scenarios.parts import ask_for_fix, id_in
from tests.browser.stage import ALL_ON, CONFIG, Stage
from tests.browser.studio import Studio, newest
from tests.browser.visitor import Visitor
from tests.browser.waiting import LONG_MS

pytestmark = pytest.mark.browser
READER = "ciso@northwind.example"
STRICT = f"""{CONFIG}\
  remind_before_minutes: 1439
  rollback_approvals: 2
  break_glass: {{people: [U0OMAR], channel: C0GENERAL, review_within_hours: 8}}
"""


@pytest.fixture
def scene(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage.set_up(chromium, tmp_path_factory.mktemp("pictures")) as stage:
        yield stage


@pytest.fixture
def studio(scene: Stage, keep_picture: KeepPicture) -> Studio:
    page = scene.visitor.page
    page.set_viewport_size({"width": 1440, "height": 2000})  # the longest part has room
    return Studio(page, keep_picture)


def test_a_weeks_work(scene: Stage, studio: Studio) -> None:
    undecided = ask_for_fix(scene, scene.findings["northwind-old-website"])
    show_reports(scene, studio)
    show_forms(scene.visitor, studio)
    fix_and_put_back(scene, studio)
    fix_several(scene, studio)
    change_behind_the_bots_back(scene, studio)
    leave_one_as_it_is(scene, studio)
    show_home(scene, studio)
    send_a_digest(scene.visitor, studio)
    scene.reconfigure(STRICT)
    break_the_glass(scene, studio)
    sign_a_rollback(scene, studio)
    remind(scene, studio, undecided)


def show_reports(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    visitor.be("Ana")
    studio.take("report-show", visitor.ask("/report show"))
    studio.take("findings-list", visitor.ask("/report findings severity:high"), in_dark=True)
    studio.take("findings-compare", visitor.ask(f"/report compare {stage.reports[0]} latest"))
    trend = visitor.post_of(lambda: visitor.type("/report trend"), "Trend over 5 reports")
    trend.locator("img.preview").evaluate("image => image.decode()")
    studio.take("findings-trend", trend, in_dark=True)


def show_forms(visitor: Visitor, studio: Studio) -> None:
    sheet = visitor.form
    visitor.type("/playbook")
    sheet.get_by_label(re.compile("Which finding")).fill("public access")
    expect(sheet.get_by_role("option", name=re.compile("block public access")).nth(3)).to_be_visible()
    studio.take("form-playbook", sheet)
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("Escape")
    visitor.has_gone(sheet)
    visitor.type("/report")
    sheet.get_by_label("What would you like?").select_option("email")
    visitor.submit("Go")
    expect(sheet).to_contain_text("Say to whom")
    studio.take("form-report", sheet, in_dark=True)
    visitor.page.keyboard.press("Escape")
    visitor.has_gone(sheet)


def show_schedule_form(visitor: Visitor, studio: Studio) -> None:
    visitor.type("/schedule")
    visitor.form.get_by_label("How often?").select_option(label="Every Monday")
    studio.take("form-schedule", visitor.form)
    visitor.page.keyboard.press("Escape")
    visitor.has_gone(visitor.form)


def has_replies(message: Locator, number: str) -> None:
    """Wait for what comes in the thread: until then the message is not as it stays."""
    expect(message.get_by_role("button", name=number)).to_be_visible()


def fix_and_put_back(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    card = ask_for_fix(stage, stage.findings["northwind-invoices-archive"])
    studio.take("card-pending", card, in_dark=True)
    visitor.be("Omar")
    visitor.press(card, "Approve")
    expect(card).to_contain_text("Done, and verified")
    has_replies(card, "1 reply")
    studio.take("card-done", card)
    card.get_by_role("button", name="1 reply").click()
    told = visitor.page.locator("#thread .thread-list article").last
    styled(told, ".columns.with-thread { grid-template-columns: 226px minmax(0, 1fr) 640px; }")
    studio.take("card-thread", told)
    back(told)
    visitor.page.keyboard.press("Escape")
    visitor.be("Ana")
    visitor.go_to("Countersign")
    studio.take("outcome", visitor.posted("Done, and verified"))
    visitor.go_to("security")
    visitor.be("Omar")
    visitor.press(card, "Roll back")
    studio.take("rollback-question", visitor.question)
    visitor.confirm("Roll back")
    expect(card).to_contain_text("Everything is as it was before, verified")
    studio.take("card-rolled-back", card)


def fix_several(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    found = [
        stage.findings[f"northwind-{name}"] for name in ("build-artifacts", "meeting-notes", "sensor-data")
    ]
    visitor.be("Ana")
    words = " ".join(finding.handle for finding in found)
    batch = visitor.post_of(
        lambda: visitor.type(f"/playbook run AWS-PUBLIC-S3 {words}"), "3 at once", "sensor-data"
    )
    studio.take("batch-pending", batch, in_dark=True)
    visitor.be("Omar")
    visitor.press(batch, "Choose")
    visitor.form.get_by_role("checkbox", name=re.compile("sensor-data")).uncheck()
    visitor.form.get_by_role("textbox", name="Why are they taken out?").fill(
        "The sensors are read by a partner until Friday"
    )
    studio.take("batch-choose", visitor.form)
    visitor.submit("Take out")
    visitor.has_gone(visitor.form)
    expect(batch).to_contain_text("2 at once")
    visitor.press(batch, "All changes")
    studio.take("batch-window", visitor.form)
    visitor.page.keyboard.press("Escape")
    visitor.has_gone(visitor.form)
    visitor.press(batch, "Approve all")
    expect(batch).to_contain_text("2 fixed")
    has_replies(batch, "1 reply")
    assert [stage.flags(finding) for finding in found] == [ALL_ON, ALL_ON, set()]
    studio.take("batch-done", batch)
    visitor.press(batch, "Roll back all")
    visitor.confirm("Roll back")
    expect(batch).to_contain_text("2 rolled back")
    assert [stage.flags(finding) for finding in found] == [set(), set(), set()]


def change_behind_the_bots_back(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    card = ask_for_fix(stage, stage.findings[PUBLIC_BUCKET])
    execution = id_in(card, "x")
    stage.cloud.change_from_outside()
    visitor.be("Omar")
    visitor.press(card, "Approve")
    newer = visitor.posted("Changed since you last looked")
    studio.take("card-drift", newer)
    studio.take("card-superseded", newest(visitor.stream, execution, "A newer card"))
    visitor.ask(f"/playbook reject {execution} The exports move to another account this week")


def leave_one_as_it_is(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    card = ask_for_fix(stage, stage.findings["northwind-press-kit"])
    visitor.be("Omar")
    visitor.press(card, "Reject")
    form = visitor.form
    form.get_by_label("Why should this not run?").fill("It is our press kit, meant to be public")
    until = datetime.now(UTC).date() + timedelta(days=30)
    form.get_by_label("Leave the finding as it is").fill(until.isoformat())
    form.get_by_label("Who answers for that?").select_option(label="Priya Approver")
    studio.take("form-exception", form)
    visitor.submit("Reject")
    expect(card).to_contain_text("meant to be public")
    studio.take("exceptions", visitor.ask("/playbook exceptions"))


def show_home(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    execution = id_in(ask_for_fix(stage, stage.findings["northwind-map-tiles"]), "x")
    visitor.be("Omar")
    home = visitor.tab("Home")
    expect(home).to_contain_text(execution)
    trend = home.get_by_role("img", name=re.compile("^Failing findings over"))
    expect(trend).to_have_js_property("complete", True, timeout=30_000)
    studio.take("home", whole(home), in_dark=True)
    back(home)
    visitor.ask(f"/playbook reject {execution} Next week")
    visitor.tab("Cloud")


def whole(home: Locator) -> Locator:
    """Let the home stand alone and as long as it is, as Slack's own tab does; also where it is drawn anew meanwhile."""
    styled(
        home,
        """#side-body { position: fixed; inset: 0 auto auto 0; width: 720px; height: auto; overflow: visible;
        z-index: 9; background: var(--raised); padding: 8px 28px 20px; }""",
    )
    return home


def styled(part: Locator, rules: str) -> None:
    """Give the page these rules for as long as a picture takes."""
    part.evaluate(
        """(_, rules) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(rules);
      document.adoptedStyleSheets = [sheet];
    }""",
        rules,
    )


def back(part: Locator) -> None:
    part.evaluate("() => { document.adoptedStyleSheets = []; }")


def as_long_as_it_is(mail: Locator) -> None:
    """Let the frame of a mail end where the mail does, and the panel where its frame does."""
    frame = mail.element_handle().content_frame()
    assert frame is not None
    ends = frame.evaluate(
        "() => Math.max(...[...document.body.children].map((each) => each.getBoundingClientRect().bottom))"
    )
    styled(
        mail, f"#side-body {{ flex: none; }} iframe.mail-body {{ flex: none; height: {math.ceil(ends)}px; }}"
    )


def send_a_digest(visitor: Visitor, studio: Studio) -> None:
    visitor.be("Ana")
    show_schedule_form(visitor, studio)
    answer = visitor.ask(f"/schedule weekly monday 08:00 Europe/Berlin #security {READER} pdf")
    studio.take("schedule-made", answer)
    name = id_in(answer, "s")
    visitor.ask(f"/schedule run {name}")
    digest = visitor.posted("Security digest", name)
    has_replies(digest, "1 reply")
    studio.take("digest", digest, in_dark=True)
    mails = visitor.tab("Mail")
    mails.get_by_role("button", name=re.compile(f"{READER}.*northwind-week-48")).first.click()
    expect(visitor.page.frame_locator("iframe").get_by_text("Root user must have MFA").first).to_be_visible()
    as_long_as_it_is(visitor.page.locator("iframe.mail-body"))
    studio.take("digest-mail", mails)
    back(mails)
    visitor.page.keyboard.press("Escape")
    visitor.tab("Cloud")
    studio.take("schedule-list", visitor.ask("/schedule list"))


def break_the_glass(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    card = ask_for_fix(stage, stage.findings["northwind-payroll-exports"], person="Omar")
    visitor.press(card, "Break glass")
    visitor.form.get_by_label("Why can this not wait?").fill("Payroll data is being downloaded right now")
    studio.take("form-break-glass", visitor.form)
    visitor.submit("Approve alone")
    expect(card).to_contain_text("broke the glass and approved this alone")
    expect(card).to_contain_text("Done, and verified")
    has_replies(card, "2 replies")
    studio.take("card-break-glass", card)
    visitor.go_to("general")
    studio.take("notice-break-glass", visitor.posted("broke the glass"))
    visitor.go_to("security")
    visitor.be("Priya")
    visitor.press(card, "Reviewed")
    expect(card).to_contain_text("Broken glass reviewed by")


def sign_a_rollback(stage: Stage, studio: Studio) -> None:
    visitor = stage.visitor
    card = ask_for_fix(stage, stage.findings["northwind-support-uploads"])
    visitor.be("Omar")
    visitor.press(card, "Approve")
    expect(card).to_contain_text("Done, and verified")
    visitor.press(card, "Roll back")
    visitor.confirm("Roll back")
    expect(card).to_contain_text("Rollback asked for by @omar. 1 of 2 approvals")
    has_replies(card, "1 reply")
    studio.take("card-rollback-signatures", card)
    visitor.be("Priya")
    visitor.press(card, "Approve rollback")
    visitor.confirm("Roll back")
    expect(card).to_contain_text("Everything is as it was before, verified")


def remind(stage: Stage, studio: Studio, card: Locator) -> None:
    """By these rules it is time for a reminder a minute after the card; the card has waited since the beginning."""
    visitor = stage.visitor
    card.get_by_role("button", name="1 reply").click(timeout=LONG_MS)
    reminder = visitor.page.locator("#thread article", has_text="still waits for a decision")
    studio.take("notice-reminder", reminder)
    visitor.page.keyboard.press("Escape")
