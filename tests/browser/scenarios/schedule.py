"""`/schedule`, word by word."""

import re

from playwright.sync_api import expect

from handlers.vocabulary import SCHEDULE
from tests.browser.scenarios.parts import expect_help, id_in, plays
from tests.browser.stage import Stage

BOARD = "board@northwind.example"
_SAME_ENTRY = r"(?:(?!\bs-[0-9a-f]{4})[\s\S])*?"  # up to where another schedule begins


def _scheduled(stage: Stage, words: str, *says: str) -> str:
    """Make a schedule as Ana, see what the answer says, return its name."""
    stage.visitor.be("Ana")
    answer = stage.visitor.ask(f"/schedule {words}")
    for each in ("Scheduled:", *says, "Next:"):
        expect(answer).to_contain_text(each)
    return id_in(answer, "s")


def _remove(stage: Stage, name: str) -> None:
    expect(stage.visitor.ask(f"/schedule remove {name}")).to_contain_text("sends nothing any more")


@plays("/schedule", "list")
def list_schedules(stage: Stage) -> None:
    name = _scheduled(stage, "daily 06:15 Europe/Berlin pdf", "#security", "with the report as pdf")
    answer = stage.visitor.ask("/schedule list")
    expect(answer).to_contain_text(re.compile(rf"{name} to #security.*06:15.*next.*by @ana", re.DOTALL))
    _remove(stage, name)


@plays("/schedule", "daily")
def make_daily(stage: Stage) -> None:
    _remove(stage, _scheduled(stage, "daily 09:00 Europe/Berlin #general", "#general", "every day at 09:00"))
    answer = stage.visitor.ask("/schedule daily 25:00")
    expect(answer).to_contain_text("00:00 to 23:59")


@plays("/schedule", "weekly")
def make_weekly(stage: Stage) -> None:
    name = _scheduled(stage, f"weekly monday 08:00 Europe/Berlin {BOARD}", BOARD, "onday at 08:00")
    _remove(stage, name)


@plays("/schedule", "cron")
def make_cron(stage: Stage) -> None:
    _remove(stage, _scheduled(stage, 'cron "0 9 * * 1-5" Europe/Berlin csv', "0 9 * * 1-5", "as csv"))
    expect(stage.visitor.ask('/schedule cron "0 9 * * 9"')).to_contain_text("0 to 7")


@plays("/schedule", "pause")
def pause_schedule(stage: Stage) -> None:
    name = _scheduled(stage, "daily 05:00")
    expect(stage.visitor.ask(f"/schedule pause {name}")).to_contain_text("Paused:")
    answer = stage.visitor.ask("/schedule list")
    expect(answer).to_contain_text(re.compile(rf"{name}.*paused.*Paused: by ", re.DOTALL | re.IGNORECASE))
    _remove(stage, name)


@plays("/schedule", "resume")
def resume_schedule(stage: Stage) -> None:
    name = _scheduled(stage, "daily 05:30")
    stage.visitor.ask(f"/schedule pause {name}")
    answer = stage.visitor.ask(f"/schedule resume {name}")
    expect(answer).to_contain_text("Active again:")
    expect(answer).to_contain_text("Next:")
    _remove(stage, name)


@plays("/schedule", "remove")
def remove_schedule(stage: Stage) -> None:
    name = _scheduled(stage, "daily 04:45")
    _remove(stage, name)
    expect(stage.visitor.ask("/schedule list")).not_to_contain_text(name)
    expect(stage.visitor.ask(f"/schedule run {name}")).to_contain_text("/schedule list shows them")


@plays("/schedule", "run")
def run_schedule(stage: Stage) -> None:
    """It goes into the channel, with the report below it, and into the inbox; its button plans a fix."""
    visitor = stage.visitor
    name = _scheduled(stage, f"daily 03:00 #security {BOARD} pdf")
    expect(visitor.ask(f"/schedule run {name}")).to_contain_text("is being sent")
    digest = visitor.posted("Security digest", name)
    expect(digest).to_contain_text("Security score")
    digest.get_by_role("button", name=re.compile("1 reply")).click()
    expect(
        visitor.page.locator("#thread").get_by_role("link", name=re.compile(r"^Open .*\.pdf"))
    ).to_be_visible()
    visitor.page.keyboard.press("Escape")
    mails = visitor.tab("Mail")
    expect(mails.get_by_text(f"To {BOARD}").first).to_be_visible()
    visitor.tab("Cloud")
    visitor.ask_until("/schedule list", re.compile(rf"{name} {_SAME_ENTRY}Last: [^\n]*, sent\b"))
    _remove(stage, name)


@plays("/schedule", "help")
def help_with_schedules(stage: Stage) -> None:
    stage.visitor.be("Otto")
    expect_help(stage, SCHEDULE)
