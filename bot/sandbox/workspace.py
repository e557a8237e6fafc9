"""Who and what a mock workspace holds: people, channels, user groups, tokens. All of it frozen.

A test describes the workspace it needs; `DEFAULT_WORKSPACE` is the one that the demo and most tests
share. Its tokens are dummies that open nothing.
"""

from dataclasses import dataclass

from bot.sandbox.shapes import Json
from bot.scopes import NEEDED_SCOPES


@dataclass(frozen=True)
class Person:
    """A member of the workspace, or a stranger from another one (`is_stranger` with a `team_id`).

    `name` is the handle without `@`; `tz` an IANA zone; an empty `team_id` means the workspace's own.
    """

    id: str
    name: str
    real_name: str
    email: str
    title: str = ""
    tz: str = "Europe/Berlin"
    team_id: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False


@dataclass(frozen=True)
class Channel:
    """A channel; `name` without `#`, `members` are user ids."""

    id: str
    name: str
    members: tuple[str, ...]
    topic: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class UserGroup:
    """A user group such as @sec-approvers; `members` are user ids."""

    id: str
    handle: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Workspace:
    """The whole description of a mock workspace and of the one app installed in it.

    `events` names the event types the app subscribed to, `scopes` what its token was granted; `should_escape` is the manifest's setting
    for slash commands.
    """

    people: tuple[Person, ...]
    channels: tuple[Channel, ...]
    usergroups: tuple[UserGroup, ...] = ()
    team_id: str = "T0DEMO"
    team_name: str = "Northwind"
    team_domain: str = "northwind"
    app_id: str = "A0BOT"
    bot_id: str = "B0BOT"
    bot_user_id: str = "U0BOT"
    bot_token: str = "xoxb-stand-in"  # noqa: S105 - opens nothing
    app_token: str = "xapp-stand-in"  # noqa: S105
    signing_secret: str = "stand-in-signing-secret"  # noqa: S105
    events: frozenset[str] = frozenset({"app_home_opened"})
    should_escape: bool = True
    scopes: frozenset[str] = NEEDED_SCOPES

    def person(self, name: str) -> Person:
        """The person with this id or handle (`U0ANA`, `ana`, `@ana`); raises LookupError."""
        wanted = name.removeprefix("@")
        for person in self.people:
            if wanted in (person.id, person.name):
                return person
        raise LookupError(f"no such person in the workspace: {name}")

    def channel(self, name: str) -> Channel:
        """The channel with this id or name (`C0SECURITY`, `#security`); raises LookupError."""
        wanted = name.removeprefix("#")
        for channel in self.channels:
            if wanted in (channel.id, channel.name):
                return channel
        raise LookupError(f"no such channel in the workspace: {name}")

    def team_of(self, person: Person) -> str:
        return person.team_id or self.team_id


def user_json(workspace: Workspace, person: Person) -> Json:
    """The user object of users.info, users.list and users.lookupByEmail."""
    return {
        "id": person.id,
        "team_id": workspace.team_of(person),
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_stranger": person.is_stranger,
        "tz": person.tz,
        "profile": {
            "real_name": person.real_name,
            "display_name": person.name,
            "title": person.title,
            "email": person.email,
            "team": workspace.team_of(person),
        },
    }


def channel_json(channel: Channel, bot_user_id: str) -> Json:
    """The channel object of conversations.info and conversations.list."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_private": channel.is_private,
        "is_archived": False,
        "is_member": bot_user_id in channel.members,
        "is_ext_shared": False,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic},
        "purpose": {"value": ""},
    }


_MEMBERS = ("U0ANA", "U0OMAR", "U0OTTO", "U0PRIYA", "U0BOT")
DEFAULT_WORKSPACE = Workspace(
    people=(
        Person("U0ANA", "ana", "Ana Analyst", "ana@northwind.example", "Security analyst"),
        Person("U0OMAR", "omar", "Omar Approver", "omar@northwind.example", "Security lead"),
        Person("U0OTTO", "otto", "Otto Outsider", "otto@northwind.example", "Sales"),
        Person("U0PRIYA", "priya", "Priya Approver", "priya@northwind.example", "Platform lead"),
        Person("U0GUEST", "gia", "Gia Guest", "gia@contractor.example", is_restricted=True),
        Person("U0GONE", "dana", "Dana Departed", "dana@northwind.example", deleted=True),
        Person("U0OTHER", "stan", "Stan Stranger", "stan@other.example", team_id="T0OTHER", is_stranger=True),
        Person("U0ROBOT", "robot", "Build Robot", "robot@northwind.example", is_bot=True),
        Person("U0BOT", "countersign", "Countersign", "", is_bot=True),
    ),
    channels=(
        Channel("C0SECURITY", "security", (*_MEMBERS, "U0GUEST", "U0OTHER"), "Findings and fixes"),
        Channel("C0GENERAL", "general", _MEMBERS, "Everybody"),
        Channel("C0RANDOM", "random", ("U0ANA", "U0OTTO"), "The bot is not here"),
        Channel("C0VAULT", "vault", ("U0OMAR", "U0PRIYA"), "Private", is_private=True),
    ),
    usergroups=(UserGroup("S0SEC", "sec-approvers", "Security approvers", ("U0OMAR", "U0PRIYA")),),
)
