"""Private pages about schedules: the list, and one that was just made or changed."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from exporters.cadence import Slot
from exporters.schedules import Fire, FireState, Schedule, ScheduleKind
from handlers.blocks.paging import Page
from handlers.blocks.parts import Message, context, fit, header, section
from handlers.blocks.texts import code, escape, mention, moment


def build_schedule_list(page: Page[Schedule], fires: Sequence[Fire | None]) -> Message:
    """Return a page of the schedules, each with its last sending, in the same order."""
    if not page.items and page.ref.offset:
        return page.nothing_more("schedules")
    if not page.items:
        return Message(
            "Nothing is scheduled yet. `/schedule daily 09:00 Europe/Berlin` sends a digest here each day."
        )

    def build(room: int) -> list[Block]:
        return [
            header(page.title("Schedules")),
            *(
                section(_lines(schedule, last, min(room, 300)))
                for schedule, last in zip(page.items, fires, strict=True)
            ),
            *page.buttons(),
            context("`/schedule pause|resume|remove|run NAME`"),
        ]

    active = sum(schedule.is_active for schedule in page.items)
    if not page.is_whole:
        return Message(f"{page.title('Schedules')}, {active} of them active", fit(build))
    return Message(f"{len(page.items)} schedules, {active} of them active", fit(build))


def build_scheduled(schedule: Schedule, slots: Sequence[Slot], *, lead: str) -> Message:
    """Return one schedule with its next times, each on the reader's own clock."""
    times = ", ".join(moment(slot.at) for slot in slots)
    following = f"\nNext: {times}" if schedule.is_active and slots else ""
    text = f"{lead} {_what(schedule)}, {escape(schedule.cadence.describe(), 200)}.{following}"
    return Message(
        text, (section(text), context(f"`/schedule run {escape(schedule.schedule_id, 70)}` tries it out now"))
    )


def about(schedule: Schedule) -> str:
    """Return what it is about, behind its name."""
    if schedule.kind is ScheduleKind.PULL:
        return f"of {code(schedule.source, 150)}"
    narrow = f"of account {code(schedule.account, 60)} " if schedule.account else ""
    return f"{narrow}to {_where(schedule)}"


def _where(schedule: Schedule) -> str:
    channel = [f"<#{schedule.channel}>"] if schedule.channel else []
    mails = [escape(", ".join(schedule.recipients), 300)] if schedule.recipients else []
    return " and ".join(channel + mails) or "nowhere"


def _what(schedule: Schedule) -> str:
    if schedule.kind is ScheduleKind.PULL:
        told = f", told in <#{schedule.channel}>" if schedule.channel else ""
        return f"{code(schedule.schedule_id, 70)} fetches {code(schedule.source, 150)}{told}"
    form = f", with the report as {escape(schedule.format, 20)}" if schedule.format else ""
    return f"{code(schedule.schedule_id, 70)} {about(schedule)}{form}"


def _lines(schedule: Schedule, last: Fire | None, room: int) -> str:
    state = f"next {moment(schedule.next_at)}" if schedule.is_active else "⏸ paused"
    why = "" if schedule.is_active else f"\nPaused: {escape(schedule.paused_because, room)}"
    return (
        f"{_what(schedule)}\n{escape(schedule.cadence.describe(), 200)}  ·  {state}  ·  "
        f"by {mention(schedule.owner)}{_last(last, schedule.verb, room)}{why}"
    )


def _last(last: Fire | None, verb: str, room: int) -> str:
    if last is None:
        return ""
    words = {
        FireState.SENT: verb,
        FireState.FAILED: f"not {verb}",
        FireState.OVERTAKEN: f"not {verb}",
        FireState.WAITING: f"being {verb}" if not last.error else "to be tried again",
    }
    why = f": {escape(last.error, room)}" if last.error else ""
    return f"\nLast: {moment(last.due_at)}, {words[last.state]}{why}"
