"""files.*: the three-step upload (get a URL, send the bytes, complete and share), what Slack knows of a file, and deleting it."""

import mimetypes
import secrets
from dataclasses import replace

from bot.sandbox.apiargs import Api, ApiError, Args, Method
from bot.sandbox.apichat import writable
from bot.sandbox.blockkit import with_ids
from bot.sandbox.namedfiles import check_message_in
from bot.sandbox.records import Message, StoredFile
from bot.sandbox.shapes import Json
from bot.sandbox.state import State
from bot.sandbox.wire import file_json

_TEXT_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "md": "text/markdown",
    "sarif": "application/json",
}


def get_upload_url(api: Api, args: Args) -> Json:
    """Announce a file by name and length; answers where to send its bytes."""
    name, size = args.required("filename"), args.number("length", 0)
    if size <= 0:
        raise ApiError("invalid_arguments", ["[ERROR] length must be greater than 0"])
    ident, token = f"F{secrets.token_hex(5).upper()}", secrets.token_urlsafe(16)
    user = api.state.workspace.bot_user_id
    file = StoredFile(ident, name, name, size, mimetype_of(name), user, args.text("alt_txt"))
    api.state.put_file(file)
    api.state.upload_tokens[token] = ident
    return {"upload_url": f"{api.base_url}/upload/{token}", "file_id": ident}


def mimetype_of(name: str) -> str:
    """What Slack takes a file of this name for."""
    extension = name.rpartition(".")[2].lower()
    return _TEXT_TYPES.get(extension) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def receive_upload(state: State, token: str, content: bytes) -> int:
    """Take the bytes of an announced file; returns the HTTP status Slack would answer with."""
    file = state.files.get(state.upload_tokens.get(token, ""))
    if file is None:
        return 404
    if len(content) != file.size:
        return 400
    state.put_file(replace(file, content=content))
    return 200


def complete_upload(api: Api, args: Args) -> Json:
    """Finish uploads and post them, in one message, to `channel_id` (or each of `channels`)."""
    wanted = [(str(each.get("id")), str(each.get("title") or "")) for each in args.items("files")]
    if not wanted:
        raise ApiError("invalid_arguments", ["[ERROR] missing required field: files"])
    for ident, _ in wanted:
        file = api.state.files.get(ident)
        if file is None or file.content is None:
            raise ApiError("file_not_found")
        api.state.put_file(replace(file, completed_at=api.state.now()))
    targets = [t for t in (args.text("channel_id") or args.text("channels")).split(",") if t]
    for target in targets:
        _share(api, args, target, wanted)
    return {"files": [file_json(api.state, api.state.files[ident], api.base_url) for ident, _ in wanted]}


def _share(api: Api, args: Args, target: str, wanted: list[tuple[str, str]]) -> None:
    if target.startswith(("#", "@")):
        raise ApiError("invalid_channel")
    channel = writable(api, target).id
    thread_ts = args.text("thread_ts") or None
    if thread_ts and not api.state.messages.has(channel, thread_ts):
        raise ApiError("thread_not_found")
    comment, blocks = args.text("initial_comment"), args.items("blocks")
    names = ", ".join(title or api.state.files[ident].name for ident, title in wanted)
    api.refuse(args.method, check_message_in(api.state, comment or f"Shared {names}", blocks))
    for ident, title in wanted:
        api.state.share_file(ident, channel, title)
    user, files = api.state.workspace.bot_user_id, tuple(ident for ident, _ in wanted)
    with api.state.change():
        api.state.messages.post(
            Message(channel, "", user, comment, with_ids(blocks), thread_ts=thread_ts, files=files)
        )


def file_info(api: Api, args: Args) -> Json:
    """Describe one file."""
    file = api.state.files.get(args.required("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": file_json(api.state, file, api.base_url)}


def delete_file(api: Api, args: Args) -> Json:
    """Delete one of the bot's own files; messages and homes that show it keep an empty place."""
    file = api.state.files.get(args.required("file"))
    if file is None:
        raise ApiError("file_not_found")
    if file.user != api.state.workspace.bot_user_id:
        raise ApiError("cant_delete_file")
    with api.state.change():
        del api.state.files[file.id]
    return {}


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": file_info,
    "files.delete": delete_file,
}
