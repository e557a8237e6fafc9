"""Telling the people of a card that what they had fixed is back: once, in the card's thread."""

from datetime import datetime

import structlog

from audit.findings import Finding
from handlers.blocks.parts import Message, section
from handlers.blocks.texts import code, escape, moment, place
from handlers.places import find_card
from handlers.placing import tell_asker, wait_after
from handlers.posting import Poster, Tag, lacks_scope
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, advise, code_of, is_passing
from remediation.aftercare import Regression
from remediation.execution import PlaybookExecution

log = structlog.get_logger()
REGRESSION = "countersign_regression"


def tell_regression(services: Services, regression_id: int) -> None:
    """Tell of a finding that came back; what Slack does not take for now is told by a later sweep.

    Raises:
        NotFoundError: its execution is not there.
    """
    with services.drawing.holding(f"regression-{regression_id}"):
        now = services.clock()
        regression = services.regressions.begin(regression_id, now, next_attempt_at=now + wait_after(1))
        if regression is None:
            return
        execution = services.executions.get(regression.execution_id)
        try:
            _place(services, execution, regression)
        except SLACK_FAILURES as error:
            log.warning("regression not told", error=code_of(error), execution_id=execution.execution_id)
            if is_passing(error) or not _tell_asker(services, execution, regression, error):
                _put_off(services, regression)
                return
        services.regressions.told(regression_id)


def _put_off(services: Services, regression: Regression) -> None:
    services.regressions.put_off(
        regression.regression_id, until=services.clock() + wait_after(regression.attempts)
    )


def _tell_asker(
    services: Services, execution: PlaybookExecution, regression: Regression, error: Exception
) -> bool:
    """Tell whoever had it fixed, where its channel does not take it; False where that is to be tried again."""
    said = _words(execution, report_id=regression.report_id, seen_at=regression.seen_at)
    channel = _channel_of(services, execution)
    words = f"{said}\nThis could not be said in {place(channel)}. {advise(code_of(error))}"
    return tell_asker(services, execution.requester, words, card_channel=channel)


def _channel_of(services: Services, execution: PlaybookExecution) -> str:
    card = find_card(services, execution.execution_id)
    return card.channel if card else execution.channel or services.channel


def _place(services: Services, execution: PlaybookExecution, regression: Regression) -> None:
    card, channel = find_card(services, execution.execution_id), _channel_of(services, execution)
    if not channel:
        return
    tag = Tag(REGRESSION, execution.execution_id, regression.regression_id)
    message = build_regression(execution, report_id=regression.report_id, seen_at=regression.seen_at)
    poster, thread = Poster(services.client, channel), card.message_id if card else None
    if regression.attempts > 1 and _is_told(poster, tag, regression, thread=thread):
        return
    poster.post(message, tag, thread=thread)


def _is_told(poster: Poster, tag: Tag, regression: Regression, *, thread: str | None) -> bool:
    """Tell whether an earlier attempt got through after all."""
    try:
        found = (
            poster.find_reply(tag, thread=thread) if thread else poster.find(tag, since=regression.seen_at)
        )
    except SLACK_FAILURES as error:
        if not lacks_scope(error):
            raise
        return False
    return found is not None


def build_regression(execution: PlaybookExecution, *, report_id: str, seen_at: datetime) -> Message:
    """Return the message."""
    words = _words(execution, report_id=report_id, seen_at=seen_at)
    title = escape(execution.finding.title, 300)
    return Message(
        f"This finding is back: {title} ({escape(execution.finding.resource, 300)})", (section(words),)
    )


def _words(execution: PlaybookExecution, *, report_id: str, seen_at: datetime) -> str:
    finding: Finding = execution.finding
    title = escape(finding.title, 300)
    return (
        f"⚠️ *This finding is back.* The report {code(report_id, 60)} of {moment(seen_at)} shows it again, after "
        f"{code(execution.execution_id, 60)} had fixed it.\n*{title}*  {code(finding.handle, 40)}\n"
        f"{code(f'/playbook run {execution.playbook_id} {finding.handle}', 200)} asks for the fix once more."
    )
