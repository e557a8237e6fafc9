"""The door that everything from Slack comes through: what has not the shape of anything Slack sends is refused here.

Bolt 1.30 reads a request before it checks who signed it, and trips over shapes it does not expect (request/internals.py): anybody
who finds the address could fill the log with tracebacks.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs

import orjson
import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from handlers.intake import STORED

log = structlog.get_logger()
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
NOT_OURS, UNSIGNED, FAILED = 400, 401, 500
_LONGEST_CHECK = 2048  # in bytes; it carries a token besides
_MAY_WAIT = frozenset({"block_suggestion", "event_callback"})
_TEXT, _OBJECT, _FLAG = (str,), (Mapping,), (bool, str)
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("user", "team", "channel", "enterprise", "message"), (Mapping, str)),
    **dict.fromkeys(("container", "view", "event", "state"), _OBJECT),
    **dict.fromkeys(("actions", "authorizations", "response_urls", "blocks"), (list,)),
    **dict.fromkeys(("is_enterprise_install", "is_ext_shared_channel"), _FLAG),
    **dict.fromkeys(
        (
            "type",
            "id",
            "command",
            "text",
            "value",
            "action_id",
            "block_id",
            "callback_id",
            "view_id",
            "channel_id",
            "user_id",
            "team_id",
            "enterprise_id",
            "app_installed_team_id",
            "api_app_id",
            "trigger_id",
            "response_url",
            "private_metadata",
            "token",
            "tab",
        ),
        _TEXT,
    ),
}
# Where a name means something else: an option's or a button's text is an object.
_ELSEWHERE: Mapping[str, frozenset[str]] = {
    "actions": frozenset({"text", "value"}),
    "message": frozenset(_KINDS),
}
_NEVER_EMPTY = frozenset({"type", "event", "view", "container", "actions", "action_id"})
_NEEDS = {"actions": frozenset({"type", "action_id"})}
_LOOKED_INTO = ("user", "team", "channel", "container", "view", "event")
_LISTS = ("actions", "authorizations")


class _Anybody(Authorize):
    """Lets every signed request in. Whether our token is good is asked when the bot starts, and seen at each call.

    Bolt by itself asks Slack at the first request: whoever clicks first waits for that, and is lost if Slack does not answer.
    """

    def __init__(self) -> None:
        self._nobody_special = AuthorizeResult(enterprise_id=None, team_id=None)

    def __call__(self, **_about: object) -> AuthorizeResult:
        return self._nobody_special


class Door(App):
    """A Bolt app that refuses misshapen payloads, by whichever way they come.

    It answers each request on the thread that brought it (`process_before_response`): Bolt otherwise runs the listener on a
    thread of a second pool and looks every 10 ms whether it has acknowledged. Listeners have a request stored and return at once; the
    response waits for that (`finish`). Nor has it a token with which one could call Slack.

    Args:
        signing_secret: what Slack signs with; None where it comes by Socket Mode.
        logger: for what Bolt has to say.
    """

    def __init__(self, *, signing_secret: str | None, logger: logging.Logger | None = None) -> None:
        super().__init__(
            name="countersign",
            client=WebClient(),
            signing_secret=signing_secret,
            logger=logger,
            authorize=_Anybody(),
            process_before_response=True,
            # The one event that is listened for is none that we could cause, and no step of a workflow is ours.
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
        )
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None

    def is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether Slack has signed a body, and lately; nothing is where there is no signing secret."""
        if self._verifier is None:
            return False
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (TypeError, ValueError):  # a time that is no number, a signature beyond ASCII
            return False

    def answer_unsigned(self, body: bytes) -> BoltResponse:
        """Return what is answered to what Slack has not signed: a refusal, unless it may be Slack seeing whether our certificate is good."""
        if len(body) <= _LONGEST_CHECK and parse_qs(body.decode("latin-1")).get("ssl_check") == ["1"]:
            return BoltResponse(status=200, body="")
        return BoltResponse(status=UNSIGNED, body="not signed")

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Answer a request, once what it asks for is stored; see `App.dispatch`."""
        return self.finish(self.begin(req))

    def begin(self, request: BoltRequest) -> "Answering":
        """Find out how to answer a request. It may be sent once `Answering.stored` is done and `finish` has returned it.

        Reads nothing and waits for nothing, unless `may_wait` says so.
        """
        begun = time.perf_counter()
        if is_well_shaped(request.body):
            return Answering(request, super().dispatch(request), begun)
        log.warning("misshapen request refused")
        return Answering(request, refusal(), begun)

    def finish(self, answering: "Answering") -> BoltResponse:
        """Wait until what a request asks for is stored, and return what to answer: a refusal where it could not be."""
        response = answering.response
        error = answering.stored.exception() if answering.stored else None
        if error is not None:
            response.status = FAILED
            handler = self.listener_runner.listener_error_handler
            handler.handle(cast("Exception", error), answering.request, response)
        return response


@dataclass(frozen=True, slots=True)
class Answering:
    """A request of Slack's, what it will be answered, and since when it is being (`time.perf_counter`)."""

    request: BoltRequest
    response: BoltResponse
    begun: float

    @property
    def stored(self) -> "Future[None] | None":
        """Return what the answer has to wait for: that the request is stored; None where there is nothing to be stored."""
        return self.request.context.get(STORED)


def read(*, body: str, query: str, headers: Mapping[str, str | Sequence[str]]) -> BoltRequest | None:
    """Return a request that came over HTTP; None where it cannot be read."""
    try:
        return BoltRequest(body=body, query=query, headers=dict(headers))
    except _UNREADABLE as error:
        log.warning("unreadable request refused", error=type(error).__name__)
        return None


def may_wait(request: BoltRequest) -> bool:
    """Tell whether a listener may read the database or write to it: of pickers and events. All others have no need to."""
    body: object = request.body
    return isinstance(body, Mapping) and body.get("type") in _MAY_WAIT


def refusal() -> BoltResponse:
    """Return what is answered to what is nothing that Slack sends."""
    return BoltResponse(status=NOT_OURS, body="unreadable")


def is_well_shaped(body: object) -> bool:
    """Tell whether a payload's parts are of the kinds that Slack sends; what is not there is no matter."""
    if not isinstance(body, Mapping) or not _fits(body, except_for=frozenset()) or not _can_be_stored(body):
        return False
    if body.get("actions") == []:
        return False
    inner = [body[name] for name in _LOOKED_INTO if isinstance(body.get(name), Mapping)]
    if not all(_fits(part, except_for=frozenset()) for part in inner):
        return False
    return all(
        isinstance(part, Mapping)
        and _NEEDS.get(name, frozenset()) <= part.keys()
        and _fits(part, except_for=_ELSEWHERE.get(name, frozenset()))
        for name, part in _entries(body)
    )


def _can_be_stored(body: Mapping[str, object]) -> bool:
    """Tell whether a payload is JSON as the inbox writes it: half a character (a lone surrogate) is not, nor a number beyond 64 bits."""
    try:
        orjson.dumps(body)
    except orjson.JSONEncodeError:
        return False
    return True


def _entries(body: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name in _LISTS:
        entries = body.get(name)
        yield from ((name, entry) for entry in (entries if isinstance(entries, list) else []))


def _fits(part: Mapping[str, object], *, except_for: frozenset[str]) -> bool:
    return all(
        isinstance(value, _KINDS[name]) or (value is None and name not in _NEVER_EMPTY)
        for name, value in part.items()
        if name in _KINDS and name not in except_for
    )
