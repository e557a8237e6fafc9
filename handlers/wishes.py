"""What a form of rejection says about leaving a finding as it is for a while."""

from datetime import date

from audit.actor import Actor
from audit.errors import InputError
from handlers.requests import said
from remediation.excepting import ExceptionWish
from remediation.ports import Request


def read_wish(request: Request) -> ExceptionWish | None:
    """Return what the form says about leaving the finding as it is; None where no day was picked.

    Raises:
        InputError: an owner without a day, or a day that is none.
    """
    until, owner = said(request, "until"), said(request, "owner")
    if not until:
        if owner:
            raise InputError(
                "You named somebody to answer for an exception, but no day. Nothing was decided."
            )
        return None
    try:
        last_day = date.fromisoformat(until)
    except ValueError:
        raise InputError("The day of the exception could not be read, so nothing was decided.") from None
    workspace = request.actor.workspace
    return ExceptionWish(last_day, Actor(workspace=workspace, slack_id=owner) if owner else None)
