"""Telling a requester what came of their request: once for each outcome, however often anything is drawn.

A claim is committed ahead of the message. What Slack certainly did not take is tried again; what may have arrived, or was cut off in
between, is not: the card says the same, and two messages about one fix would be worse than one too few.
"""

from datetime import timedelta

import structlog

from handlers.blocks.outcome import build_outcome
from handlers.clients import make_careful
from handlers.drawing import stands_alone
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of, was_not_taken
from remediation.audience import OUTCOMES
from remediation.execution import PlaybookExecution

log = structlog.get_logger()
TRY_AGAIN_AFTER = timedelta(minutes=1)


def tell_outcome(services: Services, execution_id: str) -> None:
    """Tell whoever asked for an execution what came of it, if it is over and nobody has.

    Raises:
        NotFoundError: there is no such execution.
    """
    execution = services.executions.get(execution_id)
    if execution.status not in OUTCOMES:
        return
    if services.outcomes.claim(execution_id, execution.status, services.clock()) and _concerns(execution):
        _tell(services, execution)


def _concerns(execution: PlaybookExecution) -> bool:
    """Tell whether the requester is to be told: somebody of Slack, who has not ended it, and was not answered at once."""
    if not execution.requester.slack_id or execution.dry_run:
        return False
    if execution.batch_id and not stands_alone(execution):
        return False  # told with the others, once all of them are over
    if execution.plan is None or not execution.plan.is_needed:
        return False
    return not (execution.decisions and execution.decisions[-1].actor.is_same_person(execution.requester))


def _tell(services: Services, execution: PlaybookExecution) -> None:
    try:
        make_careful(services.client).chat_postMessage(
            channel=execution.requester.slack_id,
            unfurl_links=False,
            unfurl_media=False,
            **build_outcome(execution).to_dict(),  # type: ignore[arg-type]
        )
    except SLACK_FAILURES as error:
        code = code_of(error)
        log.warning("outcome not told", execution_id=execution.execution_id, error=code)
        if was_not_taken(error):
            until = services.clock() + TRY_AGAIN_AFTER
            services.outcomes.put_off(execution.execution_id, execution.status, until=until)
