"""Buttons: those that begin a fix take the road of `/playbook run`, all others decide about one."""

from handlers.blocks.names import PLAN_FIX
from handlers.blocks.parts import Message
from handlers.commands.batches import run_one_or_many
from handlers.decisions import answer_decision
from handlers.lateness import refuse_old
from handlers.requests import said
from handlers.services import Services
from remediation.ports import Request


def answer_click(services: Services, request: Request) -> Message | None:
    """Do what a button says.

    Raises:
        CountersignError: it cannot be done; the text says why.
    """
    if said(request, "action_id") != PLAN_FIX:
        return answer_decision(services, request)
    refuse_old(request, now=services.clock())
    # All words are looked up again: a button says no more than somebody could type.
    return run_one_or_many(services, request, said(request, "value").split() or [""])
