"""conversations.*, users.* and usergroups.*: who is where."""

from bot.sandbox.apiargs import Api, ApiError, Args, Method, page
from bot.sandbox.apichat import writable
from bot.sandbox.records import Message
from bot.sandbox.shapes import Json
from bot.sandbox.wire import message_json
from bot.sandbox.workspace import Channel, Person, UserGroup, channel_json, user_json

_HISTORY_LIMIT = 100
_USER_LIMIT = 1000


def _person(api: Api, ident: str) -> Person:
    for person in api.state.workspace.people:
        if person.id == ident:
            return person
    raise ApiError("user_not_found")


def _channel(api: Api, args: Args) -> Channel:
    """The channel by its id (names will not do); a private one only when the bot is in it."""
    ident = args.required("channel")
    channels = {c.id: c for c in (*api.state.workspace.channels, *api.state.direct.values())}
    channel = channels.get(ident)
    bot = api.state.workspace.bot_user_id
    if channel is None or (channel.is_private and bot not in channel.members):
        raise ApiError("channel_not_found")
    return channel


def _to_json(api: Api, channel: Channel) -> Json:
    if channel.id not in api.state.direct:
        return channel_json(channel, api.state.workspace.bot_user_id)
    return {"id": channel.id, "is_im": True, "is_channel": False, "user": channel.name, "is_open": True}


def open_conversation(api: Api, args: Args) -> Json:
    """Open a direct message with one person; several at once are not supported."""
    if args.has("channel"):
        return {"channel": _to_json(api, _channel(api, args))}
    users = [user for user in args.required("users").split(",") if user]
    if len(users) != 1:
        raise ApiError("too_many_users")
    person = _person(api, users[0])
    if person.deleted:
        raise ApiError("user_disabled")
    if person.is_bot:
        raise ApiError("cannot_dm_bot")
    return {"channel": _to_json(api, api.state.open_direct(person.id))}


def list_conversations(api: Api, args: Args) -> Json:
    """The channels of the wanted `types` that the bot can see."""
    kinds = args.text("types", "public_channel").split(",")
    bot = api.state.workspace.bot_user_id
    public = [c for c in api.state.workspace.channels if not c.is_private]
    private = [c for c in api.state.workspace.channels if c.is_private and bot in c.members]
    found = [*(public if "public_channel" in kinds else []), *(private if "private_channel" in kinds else [])]
    found += api.state.direct.values() if "im" in kinds else []
    shown, metadata = page(found, args)
    return {"channels": [_to_json(api, channel) for channel in shown], "response_metadata": metadata}


def conversation_info(api: Api, args: Args) -> Json:
    """Describe one channel."""
    return {"channel": _to_json(api, _channel(api, args))}


def conversation_members(api: Api, args: Args) -> Json:
    """The ids of a channel's members."""
    members, metadata = page(_channel(api, args).members, args)
    return {"members": members, "response_metadata": metadata}


def _within(args: Args, messages: list[Message]) -> list[Message]:
    """Messages between `oldest` and `latest`; the ends count only with `inclusive`."""
    oldest, latest = args.text("oldest", "0"), args.text("latest", "9999999999.999999")
    ends = {oldest, latest} if args.flag("inclusive") else set()
    return [m for m in messages if float(oldest) < float(m.ts) < float(latest) or m.ts in ends]


def _listing(api: Api, args: Args, messages: list[Message]) -> Json:
    shown, metadata = page(messages, args, default_limit=_HISTORY_LIMIT)
    full = args.flag("include_all_metadata")
    listed = [message_json(api.state, message, with_metadata=full) for message in shown]
    return {"messages": listed, "has_more": bool(metadata["next_cursor"]), "response_metadata": metadata}


def history(api: Api, args: Args) -> Json:
    """The messages of a channel, newest first, without replies and without ephemeral ones."""
    channel = writable(api, _channel(api, args).id)
    seen = [message for message in api.state.messages.channel(channel.id) if not message.only_for]
    return _listing(api, args, _within(args, seen)[::-1])


def replies(api: Api, args: Args) -> Json:
    """A thread with its root, oldest first."""
    channel = writable(api, _channel(api, args).id)
    thread = api.state.messages.thread(channel.id, args.required("ts"))
    if not thread:
        raise ApiError("thread_not_found")
    root, rest = thread[0], [message for message in thread[1:] if not message.only_for]
    return _listing(api, args, [root, *_within(args, rest)])


def user_info(api: Api, args: Args) -> Json:
    """Describe one person."""
    return {"user": user_json(api.state.workspace, _person(api, args.required("user")))}


def list_users(api: Api, args: Args) -> Json:
    """Everyone, bots and strangers too."""
    people, metadata = page(api.state.workspace.people, args, default_limit=_USER_LIMIT)
    return {"members": [user_json(api.state.workspace, p) for p in people], "response_metadata": metadata}


def lookup_by_email(api: Api, args: Args) -> Json:
    """The person with this address; Slack does not find people who left."""
    email = args.required("email").casefold()
    for person in api.state.workspace.people:
        if person.email.casefold() == email and not person.deleted:
            return {"user": user_json(api.state.workspace, person)}
    raise ApiError("users_not_found")


def _group_json(api: Api, group: UserGroup, *, with_users: bool) -> Json:
    found: Json = {
        "id": group.id,
        "team_id": api.state.workspace.team_id,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.name,
        "date_delete": 0,
        "user_count": len(group.members),
    }
    return found | ({"users": list(group.members)} if with_users else {})


def list_groups(api: Api, args: Args) -> Json:
    """Every user group."""
    groups = api.state.workspace.usergroups
    return {"usergroups": [_group_json(api, g, with_users=args.flag("include_users")) for g in groups]}


def list_group_users(api: Api, args: Args) -> Json:
    """The ids of a user group's members; raises no_such_subteam."""
    ident = args.required("usergroup")
    for group in api.state.workspace.usergroups:
        if group.id == ident:
            return {"users": list(group.members)}
    raise ApiError("no_such_subteam")


METHODS: dict[str, Method] = {
    "conversations.open": open_conversation,
    "conversations.list": list_conversations,
    "conversations.info": conversation_info,
    "conversations.members": conversation_members,
    "conversations.history": history,
    "conversations.replies": replies,
    "users.info": user_info,
    "users.list": list_users,
    "users.lookupByEmail": lookup_by_email,
    "usergroups.list": list_groups,
    "usergroups.users.list": list_group_users,
}
