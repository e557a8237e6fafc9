"""chat.* and reactions.*: posting, editing and deleting messages."""

from dataclasses import replace

from bot.sandbox.apiargs import Api, ApiError, Args, Method
from bot.sandbox.blockkit import with_ids
from bot.sandbox.limits import LIMITS
from bot.sandbox.namedfiles import check_message_in
from bot.sandbox.records import Message
from bot.sandbox.shapes import Json
from bot.sandbox.wire import message_json
from bot.sandbox.workspace import Channel


def writable(api: Api, name: str) -> Channel:
    """The channel the bot may post to, by id, name or user id; raises channel_not_found, not_in_channel."""
    try:
        channel = _direct(api, name) or api.state.channel(name)
    except LookupError:
        raise ApiError("channel_not_found") from None
    if api.state.workspace.bot_user_id not in channel.members:
        raise ApiError("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def _direct(api: Api, name: str) -> Channel | None:
    known = {person.id for person in api.state.workspace.people}
    return api.state.open_direct(name) if name in known else None


def _draft(api: Api, args: Args, channel: str) -> Message:
    """The message the arguments describe, not yet posted; its thread must exist."""
    thread_ts = args.text("thread_ts") or None
    if thread_ts and not api.state.messages.has(channel, thread_ts):
        raise ApiError("thread_not_found")
    return Message(
        channel=channel,
        ts="",
        user=api.state.workspace.bot_user_id,
        text=args.text("text"),
        blocks=tuple(args.items("blocks")),
        thread_ts=thread_ts,
        metadata=args.json("metadata"),
        is_broadcast=args.flag("reply_broadcast"),
    )


def post_message(api: Api, args: Args) -> Json:
    """Post to a channel, a thread or a person."""
    channel = writable(api, args.required("channel"))
    draft = _draft(api, args, channel.id)
    api.refuse(args.method, check_message_in(api.state, draft.text, list(draft.blocks)))
    with api.state.change():
        posted = api.state.messages.post(replace(draft, blocks=with_ids(list(draft.blocks))))
    return {"channel": channel.id, "ts": posted.ts, "message": message_json(api.state, posted)}


def post_ephemeral(api: Api, args: Args) -> Json:
    """Show a message to one member of a channel."""
    channel = writable(api, args.required("channel"))
    user = args.required("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    draft = replace(_draft(api, args, channel.id), only_for=user, metadata=None)
    api.refuse(args.method, check_message_in(api.state, draft.text, list(draft.blocks)))
    with api.state.change():
        posted = api.state.messages.post(replace(draft, blocks=with_ids(list(draft.blocks))))
    return {"message_ts": posted.ts}


def own_message(api: Api, args: Args, refusal: str) -> Message:
    """The bot's message that the arguments name; raises message_not_found or `refusal`."""
    channel = writable(api, args.required("channel"))
    try:
        message = api.state.messages.get(channel.id, args.required("ts"))
    except LookupError:
        raise ApiError("message_not_found") from None
    if message.only_for:
        raise ApiError("message_not_found")
    if message.user != api.state.workspace.bot_user_id:
        raise ApiError(refusal)
    return message


def update(api: Api, args: Args) -> Json:
    """Edit a message; without `blocks` its blocks stay, with an empty list they go."""
    old = own_message(api, args, "cant_update_message")
    text = args.text("text") if args.has("text") else old.text
    blocks = args.items("blocks") if args.values.get("blocks") is not None else list(old.blocks)
    if not (args.has("text") or args.values.get("blocks") is not None or args.has("metadata")):
        raise ApiError("no_text")
    problems = check_message_in(api.state, text, blocks, longest_text=LIMITS["update.text"])
    api.refuse(args.method, problems)
    metadata = args.json("metadata") or old.metadata
    with api.state.change():
        stamp = api.state.messages.next_ts()
        edited = api.state.messages.edit(
            old.channel, old.ts, text=text, blocks=with_ids(blocks), metadata=metadata, edited_ts=stamp
        )
    return {"channel": old.channel, "ts": old.ts, "text": text, "message": message_json(api.state, edited)}


def delete(api: Api, args: Args) -> Json:
    """Delete one of the bot's own messages."""
    message = own_message(api, args, "cant_delete_message")
    with api.state.change():
        api.state.messages.delete(message.channel, message.ts)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(api: Api, args: Args) -> Json:
    """The link to a message, which the demo page opens."""
    channel = args.required("channel")
    ts = args.required("message_ts")
    if not api.state.messages.has(channel, ts):
        raise ApiError("message_not_found")
    return {"channel": channel, "permalink": f"{api.base_url}/archives/{channel}/p{ts.replace('.', '')}"}


def add_reaction(api: Api, args: Args) -> Json:
    """React to a message with an emoji."""
    channel, ts = args.required("channel"), args.required("timestamp")
    reaction = (args.required("name"), api.state.workspace.bot_user_id)
    if not api.state.messages.has(channel, ts):
        raise ApiError("message_not_found")
    with api.state.change():
        message = api.state.messages.get(channel, ts)
        if reaction in message.reactions:
            raise ApiError("already_reacted")
        api.state.messages.edit(channel, ts, reactions=(*message.reactions, reaction))
    return {}


METHODS: dict[str, Method] = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
    "reactions.add": add_reaction,
}
