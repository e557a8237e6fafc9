"""Telling whoever asked for a batch what came of all of it: once for each outcome, as `handlers.outcomes` does for a single fix."""

import structlog

from handlers.blocks.batch_outcome import build_batch_outcome
from handlers.clients import make_careful
from handlers.outcomes import TRY_AGAIN_AFTER
from handlers.services import Services
from handlers.slack_errors import SLACK_FAILURES, code_of, was_not_taken
from remediation.batches import Members
from remediation.states import PlaybookStatus

log = structlog.get_logger()
_BACK = {PlaybookStatus.ROLLED_BACK, PlaybookStatus.ROLLBACK_FAILED}


def tell_batch_outcome(services: Services, members: Members) -> None:
    """Tell it if all of it is over and nobody has. What Slack certainly did not take is put off, and found by a sweep."""
    if not members.is_over:
        return
    batch_id = members.batch.batch_id
    outcome = "back" if any(each.status in _BACK for each in members.kept) else "over"
    if not services.batches.claim(batch_id, outcome, services.clock()) or not _concerns(members):
        return
    try:
        make_careful(services.client).chat_postMessage(
            channel=members.batch.requester.slack_id,
            unfurl_links=False,
            unfurl_media=False,
            **build_batch_outcome(members).to_dict(),  # type: ignore[arg-type]
        )
    except SLACK_FAILURES as error:
        log.warning("outcome not told", batch_id=batch_id, error=code_of(error))
        if was_not_taken(error):
            services.batches.put_off(batch_id, outcome, until=services.clock() + TRY_AGAIN_AFTER)


def _concerns(members: Members) -> bool:
    """Tell whether the requester is to be told: somebody of Slack, who has not ended all of it."""
    requester = members.batch.requester
    last = [each.decisions[-1].actor for each in members.kept if each.decisions]
    ended_it = len(last) == len(members.kept) and all(each.is_same_person(requester) for each in last)
    return bool(requester.slack_id) and bool(members.kept) and not ended_it
