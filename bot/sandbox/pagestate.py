"""The demo page's picture of the workspace: one JSON value per person, with only what they may see."""

from bot.sandbox.driving import SLACKBOT, Driving
from bot.sandbox.pagemail import mail_json
from bot.sandbox.pagesetup import PageSetup
from bot.sandbox.records import Message, StoredFile, View
from bot.sandbox.shapes import Json
from bot.sandbox.workspace import Channel, Person


def page_state(slack: Driving, setup: PageSetup, user: str) -> Json:
    """Everything the page shows to this person, panels excepted."""
    me = slack.workspace.person(user)
    with slack.state.lock:
        channels = _channels(slack, me)
        home = slack.home(user)
        return {
            "me": me.id,
            "team": slack.workspace.team_name,
            "bot": slack.workspace.bot_user_id,
            "people": [_person_json(setup, person) for person in (*slack.workspace.people, _SLACKBOT)],
            "cast": [slack.workspace.person(name).id for name in setup.people],
            "groups": [{"id": g.id, "handle": g.handle} for g in slack.workspace.usergroups],
            "channels": [_channel_json(slack, channel) for channel in channels],
            "start": slack.channel_id(setup.start_channel),
            "messages": {channel.id: _messages(slack, channel, me) for channel in channels},
            "files": {file.id: _file_json(file) for file in slack.files()},
            "views": [_view_json(view) for view in slack.views(user)],
            "has_home": "app_home_opened" in slack.workspace.events,
            "home": _view_json(home) if home else None,
            "mails": [mail_json(mail) for mail in setup.inbox.mails()] if setup.inbox else None,
            "violations": [f"{v.where}: {v.message}" for v in slack.violations],
        }


def page_script(slack: Driving, setup: PageSetup) -> Json:
    """What never changes while the page is open: title, commands, tour."""
    return {
        "title": setup.title,
        "shortcuts": [vars(shortcut) for shortcut in setup.shortcuts],
        "commands": [vars(command) | {"words": list(command.words)} for command in setup.commands],
        "tour": [
            vars(step)
            | {"person": slack.workspace.person(step.person).id, "channel": _place(slack, step.channel)}
            for step in setup.tour
        ],
    }


_SLACKBOT = Person(SLACKBOT, "helper", "Chat helper", "", is_bot=True)


def _place(slack: Driving, channel: str) -> str:
    return slack.channel_id(channel) if channel else ""


def _channels(slack: Driving, me: Person) -> list[Channel]:
    """The channels with the bot in them that this person may open, then the direct message with it."""
    with_bot = (c for c in slack.workspace.channels if slack.workspace.bot_user_id in c.members)
    open_to_me = [c for c in with_bot if slack.may_read(me, c)]
    return [*open_to_me, slack.state.open_direct(me.id)]


def _person_json(setup: PageSetup, person: Person) -> Json:
    role = setup.roles.get(person.name, person.title)
    facts = {"id": person.id, "name": person.name, "real_name": person.real_name, "role": role}
    return facts | {"is_bot": person.is_bot, "tz": person.tz}


def _channel_json(slack: Driving, channel: Channel) -> Json:
    is_direct = channel.id in slack.state.direct
    bot = slack.workspace.bot_user_id
    name = slack.workspace.person(bot).real_name if is_direct else channel.name
    return {
        "id": channel.id,
        "name": name,
        "topic": channel.topic,
        "is_direct": is_direct,
        "is_private": channel.is_private,
        "members": len(channel.members),
        "has_bot": bot in channel.members,
    }


def _messages(slack: Driving, channel: Channel, me: Person) -> list[Json]:
    """All messages of a channel this person sees, replies included, oldest first."""
    here = (m for m in slack.state.messages.everything() if m.channel == channel.id)
    return [_message_json(message) for message in here if message.only_for in (None, me.id)]


def _message_json(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "thread": message.thread_ts if message.is_reply else None,
        "broadcast": message.is_broadcast,
        "edited": message.edited_ts,
        "ephemeral": message.only_for is not None,
        "files": list(message.files),
        "reactions": [list(pair) for pair in message.reactions],
    }


def _file_json(file: StoredFile) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "size": file.size,
        "mimetype": file.mimetype,
        "alt": file.alt_text,
    }


def _view_json(view: View) -> Json:
    return {"id": view.id, "hash": view.hash, "payload": view.payload, "values": view.values or {}}
