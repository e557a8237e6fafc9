"""Socket Mode that comes back by itself, whichever way its connection ends.

The SDK's client (3.47, socket_mode/builtin) reads the end of a connection as "nothing yet": it goes on reading, as fast as it can, and
finds out by its fifth ping in vain, a minute later. Until then every click is lost. So the keeper looks for itself, each second.
"""

import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from slack_bolt import BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection
from slack_sdk.socket_mode.request import SocketModeRequest

from handlers.door import Answering, Door, may_wait
from handlers.slack_errors import SLACK_FAILURES, code_of

log = structlog.get_logger()

WAITING_THREADS = 8
_SLACK_WAITS_S = 3.0
PING_EVERY_S = 5
LOOK_EVERY_S = 1.0
_LONGEST_WAIT_S = 30.0
_STEADY_AFTER_S = 60.0
# What the client raises where the answer is JSON of another shape, such as a gateway's in front of Slack.
_NOT_SLACKS = (AttributeError, LookupError, ValueError)
_BUFFER_BYTES = 8192  # an envelope is read at once, not by the kilobyte
# The other side has closed or reset. Linux says so while there is still something to read, others afterwards.
_ENDED = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Socket(SocketModeHandler):
    """Bolt's handler, and a keeper that reconnects.

    One thread takes in what comes, and waits for nothing; another one acknowledges what is stored by then.
    """

    app: Door

    def __init__(self, app: Door, token: str, *, client: WebClient) -> None:
        super().__init__(
            app,
            token,
            web_client=client,
            concurrency=1,
            ping_interval=PING_EVERY_S,
            receive_buffer_size=_BUFFER_BYTES,
        )
        self._stopping = threading.Event()
        self._waiting = ThreadPoolExecutor(WAITING_THREADS, thread_name_prefix="listener")
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="acknowledge")
        self._due: set[Future[None]] = set()
        self._keeper = threading.Thread(target=self._keep, name="socket", daemon=True)

    def connect(self) -> None:
        """Connect, and stay connected until `close`. Raises what the SDK raises where the first attempt fails."""
        super().connect()  # type: ignore[no-untyped-call]
        self._keeper.start()

    @property
    def is_kept(self) -> bool:
        """Tell whether somebody looks after the connection."""
        return self._keeper.is_alive()

    def close(self) -> None:
        """Acknowledge what has come, as far as Slack waits for it, and disconnect for good."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        wait(self._due.copy(), timeout=_SLACK_WAITS_S)
        super().close()  # type: ignore[no-untyped-call]
        self._waiting.shutdown(wait=True)
        self._sending.shutdown(wait=True)

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Answer what comes by Socket Mode, once what it asks for is stored. At a stop it is left: Slack tells people that it was not taken."""
        if self._stopping.is_set():
            return
        request = BoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req))
        if may_wait(request):
            self._hand(self._waiting, self._new(), lambda: self._send(client, req, self.app.begin(request)))
            return
        answering = self.app.begin(request)
        sent = self._new()

        def send(_stored: object = None) -> None:
            self._hand(self._sending, sent, lambda: self._send(client, req, answering))

        if answering.stored is None:
            send()
        else:
            answering.stored.add_done_callback(send)

    def _new(self) -> "Future[None]":
        """Return what is done once an acknowledgement was sent, or cannot be."""
        sent: Future[None] = Future()
        self._due.add(sent)
        sent.add_done_callback(self._due.discard)
        return sent

    @staticmethod
    def _hand(threads: ThreadPoolExecutor, sent: "Future[None]", send: Callable[[], None]) -> None:
        """Have an acknowledgement sent on another thread."""

        def note(sending: "Future[None]") -> None:
            if error := sending.exception():
                log.error("not acknowledged", exc_info=error)
            sent.set_result(None)

        try:
            threads.submit(send).add_done_callback(note)
        except RuntimeError:  # it is closed: there is nobody to send it to
            sent.set_result(None)

    def _send(self, client: SocketModeClient, req: SocketModeRequest, answering: Answering) -> None:
        response = self.app.finish(answering)
        try:
            send_response(client, req, response, time.time())
        except (SlackClientError, AttributeError) as error:  # no connection, or none any more
            log.warning("not acknowledged", error=type(error).__name__)

    def _keep(self) -> None:
        """Reconnect when the connection has ended: at once, then after 2 s, 4 s and so on, until one has held for a while."""
        tried_at, attempts = 0.0, 0
        while not self._stopping.wait(LOOK_EVERY_S):
            now = time.monotonic()
            if now - tried_at > _STEADY_AFTER_S:
                attempts = 0
            wait_s = min(2.0**attempts, _LONGEST_WAIT_S) if attempts else 0.0
            if now - tried_at < wait_s or not has_ended(self.client.current_session):
                continue
            tried_at, attempts = now, attempts + 1
            self._reconnect()

    def _reconnect(self) -> None:
        session = self.client.current_session
        try:
            if session is not None:
                session.disconnect()
            self.client.connect_to_new_endpoint()
        except (*SLACK_FAILURES, *_NOT_SLACKS) as error:
            log.warning("Socket Mode not reconnected", error=code_of(error))
        else:
            log.info("Socket Mode reconnected", connected=self.client.is_connected())


def has_ended(session: Connection | None) -> bool:
    """Tell whether a connection is none any more, though the client may not have noticed."""
    sock = session.sock if session is not None else None
    if sock is None:
        return True
    poll = select.poll()
    try:
        poll.register(sock.fileno(), _ENDED)
    except (OSError, ValueError):  # closed at this moment
        return True
    return any(event & _ENDED for _, event in poll.poll(0))
