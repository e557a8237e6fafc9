"""Who may hand findings on or have them fetched: members of the workspace, read in Slack's directory anew each time.

Guests may look, each privately. What leaves (a mail, a file, a schedule that goes on when they have left the room) or comes in (a
fetch, a file taken in, which closes findings) is not theirs to order.
"""

from dataclasses import replace

from audit.errors import RefusedError
from handlers.services import Services
from remediation.ports import Request


def from_member(services: Services, request: Request) -> Request:
    """Return the request as of the person whom Slack's directory knows, if they belong to the workspace.

    Raises:
        RefusedError: a guest, somebody of another workspace, somebody who has left or a program; or Slack does not say.
    """
    person = services.remediation.directory.look_up(request.actor, groups=frozenset())
    if person.is_guest or person.is_stranger or person.is_bot or person.is_deleted:
        raise RefusedError(
            "Only members of this workspace may do that, not guests. Nothing was done; ask a member to do it."
        )
    return replace(request, actor=person.actor)
