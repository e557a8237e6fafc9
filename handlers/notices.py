"""Telling people what is no part of a card: once each, in the card's thread, in a channel, or to a person.

A notice is stored before Slack is asked to post it. When a crash lies between the two, the message is looked for by its metadata
before it is posted again.
"""

from datetime import datetime

import structlog

from handlers.blocks.parts import Message, section
from handlers.blocks.texts import code, escape, linkify, mention, moment
from handlers.giving_up import give_up_notice
from handlers.places import find_card
from handlers.posting import Poster, Tag, lacks_scope
from handlers.schedule_news import SCHEDULE_NEWS, build_schedule_news, due_schedule_news, places_of_news
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, advise, code_of, is_passing
from remediation.attention import (
    ESCALATION,
    EXCEPTION_OVER,
    GLASS,
    NEWS_FOR,
    OVERDUE,
    REMINDER,
    Notice,
    needs_reminder,
)
from remediation.execution import PlaybookExecution, Verdict
from remediation.ports import MOST_NOTICE_ATTEMPTS
from remediation.rules import mark

log = structlog.get_logger()
NOTICE = "countersign_notice"
_PERSON = ("U", "W")
_LOOKED_BACK = NEWS_FOR


def tell_notice(services: Services, notice_id: str) -> None:
    """Tell people one thing, unless they were told.

    Where Slack gives no answer a later sweep tries again, for about a day. Where it refuses, somebody else is told at once.

    Raises:
        NotFoundError: what it is about is not there.
        InputError: the name is none.
    """
    notice = Notice.parse(notice_id)
    attempt = services.notices.begin(notice_id, services.clock())
    if not attempt:
        return
    if _is_over(services, notice, attempt):
        services.notices.told(notice_id)


def due_notices(services: Services, now: datetime) -> list[str]:
    """Return the names of what nobody has been told yet."""
    return [*services.herald.due(now), *due_schedule_news(services, now)]


def _is_over(services: Services, notice: Notice, attempt: int) -> bool:
    """Attempt it; tell whether nothing is left to be done about it."""
    if attempt > MOST_NOTICE_ATTEMPTS:
        return give_up_notice(services, notice, f"Slack took none of {MOST_NOTICE_ATTEMPTS} attempts.")
    is_news = notice.kind in SCHEDULE_NEWS
    message = build_schedule_news(services, notice) if is_news else _message(services, notice)
    if message is None:
        return True
    try:
        _post(services, notice, message, is_repeat=attempt > 1)
    except SLACK_FAILURES as error:
        code = code_of(error)
        log.warning("notice not told", notice=notice.notice_id, attempt=attempt, error=code)
        return not is_passing(error) and give_up_notice(services, notice, advise(code), said=message.text)
    return True


def _message(services: Services, notice: Notice) -> Message | None:
    """Return what is to be said; None where it is no longer true."""
    if notice.kind == EXCEPTION_OVER:
        return _exception_over(services, notice)
    execution = services.executions.get(notice.about)
    if notice.kind == REMINDER:
        is_due = needs_reminder(execution, services.clock()) and str(execution.revision) == notice.number
        return _reminder(services, execution) if is_due else None
    if notice.kind == ESCALATION:
        return _escalation(execution)
    if notice.kind == GLASS:
        return _glass(execution)
    if notice.kind == OVERDUE and execution.unreviewed:
        return _overdue(services, execution)
    return None


def _glass(execution: PlaybookExecution) -> Message | None:
    broken = [each for each in execution.decisions if each.verdict is Verdict.BREAK_GLASS]
    if not broken:
        return None
    return _say(
        f"🚨 *{mention(broken[-1].actor)} broke the glass* and approved {_name(execution)} alone, on "
        f"{code(execution.finding.resource or 'no resource named', 300)}: {escape(broken[-1].reason, 1000)}. {_review_by(execution)}"
    )


def _overdue(services: Services, execution: PlaybookExecution) -> Message:
    terms = services.remediation.policy.terms_of(execution)
    who = linkify(escape(terms.describe_approvers(), 1000))
    return _say(
        f"🚨 *Nobody has reviewed the broken glass of {_name(execution)}* "
        f"({code(execution.execution_id, 80)}). {_review_by(execution)} Who can: {who}."
    )


def _review_by(execution: PlaybookExecution) -> str:
    if execution.review_due_at is None:
        return "It has been reviewed."
    return f"A second approver has to review it until {moment(execution.review_due_at)}, with the button on its card."


def _reminder(services: Services, execution: PlaybookExecution) -> Message:
    policy = services.remediation.policy
    terms = policy.terms_of(execution)
    done = {decision.actor.slack_id for decision in execution.approvals}
    if not policy.allow_self_approval:
        done.add(execution.requester.slack_id)
    left = sorted(terms.approver_groups) + sorted(terms.approvers - done)
    who = linkify(escape(mark(left) or terms.describe_approvers(), 1000))
    return _say(
        f"⏰ *{_name(execution)} still waits for a decision, until {moment(execution.expires_at)}.* May still sign: {who}."
    )


def _escalation(execution: PlaybookExecution) -> Message:
    return _say(
        f"⌛ *Nobody decided in time on {_name(execution)}* for {escape(execution.finding.title, 300)} "
        f"({code(execution.finding.resource or 'no resource named', 300)}), asked for by {mention(execution.requester)}. "
        f"Nothing was changed. To ask again: {_ask_again(execution)}"
    )


def _exception_over(services: Services, notice: Notice) -> Message:
    exception = services.exceptions.get(notice.about)
    execution = services.executions.get(exception.execution_id)
    how = f"was ended by {mention(exception.ended_by)}" if exception.ended_by else "is over"
    return _say(
        f"🔔 *The exception for {escape(exception.finding.title, 300)} {how}.* {mention(exception.owner)} answered for it: "
        f"{escape(exception.reason, 500)}. The finding counts again; to ask for its fix: {_ask_again(execution)}"
    )


def _name(execution: PlaybookExecution) -> str:
    """Return the playbook's name; one of a batch stands for all that share its card."""
    name = escape(execution.playbook_name, 200)
    if not execution.batch_id or execution.revision > 1:
        return name
    return f"{name}, several at once ({code(execution.batch_id, 80)}),"


def _ask_again(execution: PlaybookExecution) -> str:
    return code(f"/playbook run {execution.playbook_id} {execution.finding.handle}", 200)


def _say(text: str) -> Message:
    return Message(text, (section(text),))


def _post(services: Services, notice: Notice, message: Message, *, is_repeat: bool) -> None:
    """Post a notice where it belongs; on a repeat only if it is not there.

    Raises one of `SLACK_FAILURES` when Slack refuses or does not answer.
    """
    if notice.kind in SCHEDULE_NEWS:
        _post_news(services, notice, message, is_repeat=is_repeat)
        return
    if notice.kind == ESCALATION:
        _post_in(services, _channel(services, notice.number), notice, message, is_repeat=is_repeat)
        return
    glass = services.remediation.policy.break_glass
    if glass and glass.channel and (notice.kind == OVERDUE or notice.number.endswith("-channel")):
        _post_in(services, glass.channel, notice, message, is_repeat=is_repeat)
        return
    named = (
        services.exceptions.get(notice.about).execution_id if notice.kind == EXCEPTION_OVER else notice.about
    )
    if shown := find_card(services, named):
        thread = shown.message_id
        _post_in(services, shown.channel, notice, message, thread=thread, is_repeat=is_repeat)
    elif channel := services.executions.get(named).channel or services.channel:
        _post_in(services, channel, notice, message, is_repeat=is_repeat)


def _post_news(services: Services, notice: Notice, message: Message, *, is_repeat: bool) -> None:
    """Tell the first of those whom it is for that Slack lets us speak to."""
    refused: Exception | None = None
    log.warning("schedule in trouble", notice=notice.notice_id, told=message.text)
    for named in places_of_news(services, notice):
        try:
            _post_in(services, _channel(services, named), notice, message, is_repeat=is_repeat)
        except SLACK_FAILURES as error:
            if is_passing(error):
                raise
            log.warning("notice refused", notice=notice.notice_id, place=named, error=code_of(error))
            refused = error
        else:
            return
    if refused:
        raise refused


def _channel(services: Services, place: str) -> str:
    """Return the channel to speak in: the place itself, or our conversation with the person that it names."""
    if not place.startswith(_PERSON):
        return place
    return str(services.client.conversations_open(users=place)["channel"]["id"])


def _post_in(  # noqa: PLR0913 - private, and named at each call
    services: Services,
    channel: str,
    notice: Notice,
    message: Message,
    *,
    thread: str | None = None,
    is_repeat: bool,
) -> None:
    slack, tag = Poster(services.client, channel), Tag(f"{NOTICE}_{notice.kind}", notice.notice_id, 1)
    if is_repeat and _is_there(services, slack, tag, thread):
        return
    slack.post(message, tag, thread=thread, is_broadcast=notice.kind in {GLASS, OVERDUE})


def _is_there(services: Services, slack: Poster, tag: Tag, thread: str | None) -> bool:
    try:
        if thread:
            return slack.find_reply(tag, thread=thread) is not None
        return slack.find(tag, since=services.clock() - _LOOKED_BACK) is not None
    except SLACK_FAILURES as error:
        if not lacks_scope(error):
            raise
        return False
