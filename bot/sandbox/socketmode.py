"""Socket Mode: the bot connects to us; each envelope goes to one connection, chosen at random.

The web socket lives on the server's event loop, deliveries come from any thread; a
`concurrent.futures.Future` per envelope joins the two.
"""

import asyncio
import json
import secrets
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.delivery import Ack, Delivery
from bot.sandbox.shapes import Json
from bot.sandbox.state import State


@dataclass(repr=False, eq=False)
class SocketHub:
    """The bot's open web sockets, and the envelopes that wait for an acknowledgement."""

    state: State
    ack_timeout_s: float
    loop: asyncio.AbstractEventLoop | None = None
    _tickets: set[str] = field(default_factory=set)
    _sockets: list[WebSocket] = field(default_factory=list)
    _waiting: dict[str, Future[Json]] = field(default_factory=dict)

    def new_ticket(self) -> str:
        """A secret that opens one connection."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    @property
    def connections(self) -> int:
        return len(self._sockets)

    async def endpoint(self, socket: WebSocket) -> None:
        """Serve one connection: hello first, then acknowledgements until it closes."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(code=4001)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        await socket.send_json(self._hello())
        self._join(socket)
        try:
            while True:
                self._acknowledge(await socket.receive_json())
        except WebSocketDisconnect:
            pass
        finally:
            self._leave(socket)

    def deliver(self, delivery: Delivery) -> Ack:
        """Send one envelope to one connection and wait for its acknowledgement."""
        envelope = _envelope(delivery)
        waiting: Future[Json] = Future()
        self._waiting[envelope["envelope_id"]] = waiting
        started = time.monotonic()
        try:
            self._send(secrets.choice(self._sockets), envelope)
            answer = waiting.result(self.ack_timeout_s)
            ack = Ack(200, body=answer.get("payload") or None)
        except (TimeoutError, FutureTimeoutError):
            ack = Ack(error="operation_timeout")
        except (IndexError, RuntimeError, WebSocketDisconnect):
            ack = Ack(error="dispatch_failed")
        finally:
            del self._waiting[envelope["envelope_id"]]
        return replace(ack, latency_s=time.monotonic() - started)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to go away, then close it, as Slack does every few hours."""
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}
        for socket in tuple(self._sockets):
            self._leave(socket)  # Slack sends no more envelopes to a connection it asked to go
            self._send(socket, frame)
            self._run(socket.close(code=1000))

    def kill(self) -> None:
        """Close every connection without a word before."""
        for socket in tuple(self._sockets):
            self._run(socket.close(code=1001))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets) + 1,
            "connection_info": {"app_id": self.state.workspace.app_id},
            "debug_info": {"host": "stand-in", "approximate_connection_time": 18060},
        }

    def _join(self, socket: WebSocket) -> None:
        with self.state.change():
            self._sockets.append(socket)

    def _leave(self, socket: WebSocket) -> None:
        with self.state.change():
            if socket in self._sockets:
                self._sockets.remove(socket)

    def _acknowledge(self, frame: Json) -> None:
        waiting = self._waiting.get(frame.get("envelope_id", ""))
        if waiting and not waiting.done():
            waiting.set_result(frame)

    def _send(self, socket: WebSocket, frame: Json) -> None:
        self._run(socket.send_text(json.dumps(frame)))

    def _run(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any result
        if self.loop is None:
            work.close()
            raise RuntimeError("the stand-in is not running")
        asyncio.run_coroutine_threadsafe(work, self.loop).result(self.ack_timeout_s)


def _envelope(delivery: Delivery) -> Json:
    """The frame around a payload; Events API frames carry their retry count."""
    accepts = delivery.kind == "slash_commands" or delivery.payload.get("type") in (
        "view_submission",
        "block_suggestion",
    )
    frame: Json = {
        "type": delivery.kind,
        "envelope_id": secrets.token_hex(16),
        "payload": delivery.payload,
        "accepts_response_payload": accepts,
    }
    if delivery.kind == "events_api":
        frame |= {"retry_attempt": delivery.retry, "retry_reason": delivery.retry_reason}
    return frame
