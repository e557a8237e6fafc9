"""Socket Mode: the bot connects to us; each envelope goes to one connection, chosen at random.

The web sockets live on the server's event loop, and so does the future that waits for each envelope's acknowledgement;
deliveries come from any thread.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from socket import SHUT_RD
from typing import Any, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.delivery import Ack, Delivery
from bot.sandbox.shapes import Json
from bot.sandbox.state import State

_LOOK_AGAIN_S = 0.02
_LOOP_SPARE_S = 1.0  # beyond the deadline: the loop itself may be busy


@dataclass(repr=False, eq=False)
class SocketHub:
    """The bot's open web sockets, and the envelopes that wait for an acknowledgement.

    With `keeps_envelopes` one that finds no connection waits for the next, and one whose connection ended goes out again there,
    until its time is over; otherwise it fails at once, as a click does. The connection of each of the next `cuts_after` envelopes
    breaks right after it was sent.
    """

    state: State
    ack_timeout_s: float
    loop: asyncio.AbstractEventLoop | None = None
    keeps_envelopes: bool = False
    cuts_after: int = 0
    _tickets: set[str] = field(default_factory=set)
    _sockets: list[WebSocket] = field(default_factory=list)
    _waiting: dict[str, "asyncio.Future[Json]"] = field(default_factory=dict)

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
        if self.loop is None:
            return Ack(error="dispatch_failed")
        asked = asyncio.run_coroutine_threadsafe(self.exchange(delivery), self.loop)
        try:
            return asked.result(self.ack_timeout_s + _LOOP_SPARE_S)
        except TimeoutError:  # the server was stopped meanwhile
            return Ack(error="dispatch_failed")

    async def exchange(self, delivery: Delivery) -> Ack:
        """Do what `deliver` does, for whoever is on the server's own loop."""
        envelope, started = _envelope(delivery), time.monotonic()
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(self.ack_timeout_s):
                await (
                    self._send_until_heard(envelope, waiting)
                    if self.keeps_envelopes
                    else self._send_once(envelope)
                )
                answer = await waiting
            ack = Ack(200, body=answer.get("payload") or None)
        except TimeoutError:
            ack = Ack(error="operation_timeout")
        except (IndexError, RuntimeError, WebSocketDisconnect):
            ack = Ack(error="dispatch_failed")
        finally:
            del self._waiting[envelope["envelope_id"]]
        return replace(ack, latency_s=time.monotonic() - started)

    async def _send_once(self, envelope: Json) -> WebSocket:
        """Send on a connection chosen at random. Raises IndexError where there is none."""
        socket = secrets.choice(self._sockets)
        await socket.send_text(json.dumps(envelope))
        if self.cuts_after:
            self.cuts_after -= 1
            self._drop(socket)
        return socket

    async def _send_until_heard(self, envelope: Json, waiting: "asyncio.Future[Json]") -> None:
        """Send on whatever connection there is, and again on the next one when it ends without an acknowledgement."""
        sent_on: WebSocket | None = None
        while not waiting.done():
            if self._sockets and sent_on not in self._sockets:
                sent_on = await self._send_once(envelope)
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _drop(self, socket: WebSocket) -> None:
        """Let what was sent go out, then break the connection; its end is not read any more."""
        self._leave(socket)
        transport = cast("Any", socket._receive).__self__.transport  # noqa: SLF001 - ASGI has no word for this
        transport.get_extra_info("socket").shutdown(SHUT_RD)
        transport.close()

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

    def cut(self) -> None:
        """Break every connection as a network does: no close frame, the socket is simply gone."""
        if self.loop is None:
            raise RuntimeError("the stand-in is not running")
        for socket in tuple(self._sockets):
            self.loop.call_soon_threadsafe(self._drop, socket)

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
