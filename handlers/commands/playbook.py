"""`/playbook list | show | run`."""

from collections.abc import Sequence

import structlog

from audit.errors import InputError, NotFoundError, RefusedError
from audit.findings import Finding
from handlers.blocks.lists import build_playbook, build_playbook_list
from handlers.blocks.parts import Message
from handlers.blocks.texts import code, escape, mention, place, to_sentence
from handlers.conversations import is_direct
from handlers.requests import execution_id_for, said
from handlers.services import Services
from remediation.execution import PlaybookExecution
from remediation.library import find_playbook
from remediation.matching import match_playbook
from remediation.playbook import RemediationPlaybook
from remediation.policy import Policy
from remediation.ports import Request
from remediation.states import PlaybookStatus


def list_playbooks(services: Services, _request: Request, _words: Sequence[str]) -> Message:
    """Show all playbooks."""
    return build_playbook_list(services.playbooks.values())


def show_playbook(services: Services, _request: Request, words: Sequence[str]) -> Message:
    """Explain a playbook.

    Raises:
        NotFoundError: there is none of that id.
    """
    playbook = find_playbook(words[0], services.playbooks)
    policy = services.remediation.policy
    approval = _approval(playbook, policy)
    return build_playbook(playbook, approval=approval, rollback_approvals=policy.rollback_approvals)


def run_playbook(services: Services, request: Request, words: Sequence[str]) -> Message:
    """Plan a fix and ask for approval; the card is drawn from what is stored here.

    A finding alone is answered with the playbook for it: naming the fix is the requester's decision.

    Raises:
        NotFoundError: there is no such playbook or finding.
        InputError: the playbook cannot be used, or the finding asks for nothing.
        RefusedError: nobody could see the card, or the playbook would run without a person and policy does not name it.
    """
    if len(words) == 1:
        return _propose(services, words[0])
    playbook = find_playbook(words[0], services.playbooks)
    channel = find_card_channel(services, request)
    structlog.contextvars.bind_contextvars(execution_id=execution_id_for(request))
    execution = services.remediation.request(
        playbook,
        find_finding(services, words[1]),
        request.actor,
        execution_id=execution_id_for(request),
        channel=channel,
    )
    if execution.status is PlaybookStatus.PENDING and not playbook.requires_approval:
        execution = services.remediation.approve_by_policy(execution)
    if execution.status is PlaybookStatus.APPROVED:
        services.dispatcher.submit("run", execution.execution_id)
    if execution.execution_id != execution_id_for(request):
        return _joined(execution)
    return _outcome(execution)


def _joined(execution: PlaybookExecution) -> Message:
    """Say that the same fix is under way already."""
    where = f" Its card is in {place(execution.channel)}." if execution.channel else ""
    return Message(
        f"{escape(execution.playbook_name, 200)} is under way on {_as_it_is(execution)} already, asked for by "
        f"{mention(execution.requester)}.{where}"
    )


def _propose(services: Services, name: str) -> Message:
    if name.casefold() in map(str.casefold, services.playbooks):
        raise InputError(f"Which finding is {name} to fix? `/report show` shows findings with their handles.")
    finding = find_finding(services, name)
    match = match_playbook(finding, services.playbooks)
    command = code(f"/playbook run {match.playbook.playbook_id} {finding.handle}", 200)
    return Message(
        f"{escape(match.playbook.name, 200)} fits {escape(finding.title, 300)}: {escape(match.why, 300)}. "
        f"To plan it and ask for approval: {command}"
    )


def find_finding(services: Services, name: str) -> Finding:
    """Return a finding by its handle or the scanner's id.

    Raises:
        NotFoundError: none, or more than one, goes by that name.
    """
    try:
        return services.reports.find(name)
    except NotFoundError as error:
        raise NotFoundError(
            f"{to_sentence(str(error))} `/report show` shows findings with their handles."
        ) from error


def find_card_channel(services: Services, request: Request) -> str:
    """Return where the card goes: where it was asked for, from a direct message the configured channel.

    Raises:
        RefusedError: nobody but the requester would see it.
    """
    if not is_direct(request):
        return said(request, "channel_id")
    if services.channel:
        return services.channel
    raise RefusedError(
        "Ask for this in a channel that your approvers are in: here nobody else could see the card."
    )


def _approval(playbook: RemediationPlaybook, policy: Policy) -> str:
    if playbook.requires_approval:
        terms = policy.terms_by_rule(playbook.playbook_id)
        return "; ".join(
            f"{when and f'{when}: '}{each.needed} of: {each.describe_approvers()}" for when, each in terms
        )
    if policy.lets_run_unattended(playbook.playbook_id):
        return "None: the policy lets it run by itself."
    return "None, and the policy does not let it run by itself: it cannot be run from Slack."


def _outcome(execution: PlaybookExecution) -> Message:
    """Say privately what came of a request."""
    finding = f"{escape(execution.finding.title, 300)} {code(execution.finding.handle, 40)}"
    if execution.plan is None:
        return Message(
            f"Nothing was asked for: the fix of {finding} could not be planned. {escape(execution.error or '', 1500)}"
        )
    if not execution.plan.is_needed:
        return Message(
            f"There is nothing to do: the resource of {finding} already is as it should be. {_as_it_is(execution)}"
        )
    return Message(
        f"Planned {escape(execution.playbook_name, 200)} for {finding}. The card is in {place(execution.channel)}."
    )


def _as_it_is(execution: PlaybookExecution) -> str:
    return code(execution.finding.resource, 300) if execution.finding.resource else ""
