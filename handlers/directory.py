"""Who people are, asked from Slack for each decision. What Slack does not say is answered with no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from audit.actor import Actor
from audit.errors import RefusedError
from handlers.clients import make_impatient
from handlers.shared_reads import SharedReads, answer_of
from handlers.slack_client import at_once
from handlers.slack_errors import SLACK_FAILURES, code_of
from remediation.ports import Person

log = structlog.get_logger()
DEFAULT_TIMEOUT_S = 5
# Questions at once: about the workspace, each group that the policy names, and each person who is asked about again meanwhile.
_AT_ONCE = 128
_NO_ANSWER = "Slack's directory does not answer, so nothing was decided. Try again."
_TELLING = {
    "user_not_found": "Slack does not know you, so nothing was decided.",
    "missing_scope": "My app may not read Slack's directory, so nothing was decided: reinstall it from `manifest.yml`.",
    "plan_upgrade_required": "This workspace's plan has no user groups, but the policy names one, so nothing was decided: "
    "name approvers one by one in `policy.approvers`.",
    "no_such_subteam": "The policy names a user group that Slack does not know, so nothing was decided.",
    "subteam_not_found": "The policy names a user group that Slack does not know, so nothing was decided.",
}


@dataclass(frozen=True, slots=True)
class SlackDirectory:
    """A `Directory` that reads `users.info` and the groups' members anew each time.

    `timeout_s` bounds each question, in seconds; nothing is asked twice. Who asks at the same time shares the questions: Slack answers some of
    them about twenty times a minute (docs.slack.dev/reference/methods/usergroups.users.list), and fifty people may click at once.
    `give_way` lets those go first who wait for an acknowledgement: all who share an answer go on at the same moment.
    """

    client: WebClient
    timeout_s: int = DEFAULT_TIMEOUT_S
    give_way: Callable[[], None] = at_once
    _impatient: WebClient = field(init=False, repr=False)
    _reads: SharedReads = field(init=False, repr=False, default_factory=partial(SharedReads, _AT_ONCE))

    def __post_init__(self) -> None:
        object.__setattr__(self, "_impatient", make_impatient(self.client, timeout_s=self.timeout_s))

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:
        """Return the person behind a Slack id, and which of the groups they belong to.

        Somebody at a shell has no Slack id, and is looked for by their address.

        Raises:
            RefusedError: Slack knows nobody by that id or address, may not tell us, or does not answer.
        """
        if not (actor.slack_id or actor.email):
            raise RefusedError("We could not find out who you are, so nothing was decided.")
        home = self._reads.begin("home", self._ask_home)
        members = {
            group: self._reads.begin(("group", group), partial(self._ask_members, group))
            for group in sorted(groups)
        }
        try:
            found = self._reads.ask(("user", actor.slack_id, actor.email), partial(self._ask_user, actor))
            belongs = frozenset(
                group for group, asked in members.items() if found.get("id") in answer_of(asked)
            )
            person = _person(found, actor=actor, home=answer_of(home), groups=belongs)
        except SLACK_FAILURES as error:
            code = code_of(error)
            log.warning("directory does not answer", error=code)
            raise RefusedError(_TELLING.get(code, _NO_ANSWER)) from error
        self.give_way()
        return person

    def _ask_home(self) -> str:
        return str(self._impatient.auth_test()["team_id"])

    def _ask_user(self, actor: Actor) -> Mapping[str, object]:
        if not actor.slack_id:
            return self._ask_address(actor.email.strip())
        return _mapping(self._impatient.users_info(user=actor.slack_id).get("user"))

    def _ask_address(self, email: str) -> Mapping[str, object]:
        try:
            return _mapping(self._impatient.users_lookupByEmail(email=email).get("user"))
        except SlackApiError as error:
            if code_of(error) != "users_not_found":
                raise
            raise RefusedError(
                f"{email} is nobody in this workspace, so nobody can be the second person."
            ) from error

    def _ask_members(self, group: str) -> frozenset[str]:
        users = self._impatient.usergroups_users_list(usergroup=group).get("users")
        return frozenset(map(str, users)) if isinstance(users, list) else frozenset()


def _person(user: Mapping[str, object], *, actor: Actor, home: str, groups: frozenset[str]) -> Person:
    slack_id, email = str(user.get("id") or ""), str(_mapping(user.get("profile")).get("email") or "")
    if not slack_id or not _is_about(actor, slack_id=slack_id, email=email):
        raise RefusedError(_NO_ANSWER)
    return Person(
        actor=Actor(workspace=home, slack_id=slack_id, email=email),
        is_deleted=_may_be(user, "deleted"),
        is_bot=_may_be(user, "is_bot") or _may_be(user, "is_workflow_bot", where_absent=False),
        is_guest=_may_be(user, "is_restricted") or _may_be(user, "is_ultra_restricted"),
        is_stranger=_may_be(user, "is_stranger", where_absent=False) or not _lives_in(home, user, actor),
        groups=groups,
    )


def _is_about(actor: Actor, *, slack_id: str, email: str) -> bool:
    """Tell whether an answer is about whom we asked for."""
    if actor.slack_id:
        return slack_id == actor.slack_id
    return email.casefold() == actor.email.strip().casefold()


def _may_be(user: Mapping[str, object], mark: str, *, where_absent: bool = True) -> bool:
    """Tell whether somebody may be what a mark says: Slack sends these always, and anything but a plain no counts as yes."""
    return user.get(mark, where_absent) is not False


def _lives_in(home: str, user: Mapping[str, object], actor: Actor) -> bool:
    """Tell whether Slack counts the person among the workspace's own; in an organization one may belong to several."""
    enterprise = _mapping(user.get("enterprise_user"))
    teams = enterprise.get("teams")
    homes = {user.get("team_id"), *(teams if isinstance(teams, list) else [])}
    return bool(home) and home in homes and actor.workspace in {"", *homes}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
