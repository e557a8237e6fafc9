"""Requests that waited while nobody answered: what they ask for may no longer be what the person wants."""

from datetime import datetime, timedelta

from audit.errors import RefusedError
from remediation.ports import Request

ANSWERED_WITHIN = timedelta(minutes=15)


def refuse_old(request: Request, *, now: datetime) -> None:
    """Refuse to do what was asked for too long ago.

    Raises:
        RefusedError: says how long ago, and what may have become of it.
    """
    age = now - request.received_at
    if age <= ANSWERED_WITHIN:
        return
    did, again = ("asked for", "Ask") if request.kind == "command" else ("clicked", "Click")
    asked = f"You {did} this {_in_words(age)} ago"
    if request.attempts > 1:
        raise RefusedError(
            f"{asked}, and the bot was cut off in the middle. See what came of it. {again} again if nothing did."
        )
    raise RefusedError(f"{asked} while the bot was away; nothing was done. {again} again.")


def refuse_again(request: Request) -> None:
    """Refuse what cannot be taken back and may have happened already, in an attempt that was cut off.

    Raises:
        RefusedError: it was begun before.
    """
    if request.attempts > 1:
        raise RefusedError(
            "The bot was cut off in the middle of this, and it is not done twice. See whether it arrived. Ask again if it did not."
        )


def _in_words(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    for name, length in (("day", 60 * 24), ("hour", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {name}s"
    return f"{minutes} minutes"
