"""Fifty people at once, cheap enough to share two processors with what is measured: one event loop, no framework."""

import asyncio
import gc
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

Send = Callable[[bytes], Awaitable[int]]
"""Sends one prepared request and returns the HTTP status of the acknowledgement, 0 where there was none."""


@dataclass
class Result:
    """How long each acknowledgement took, in seconds, and how many were none."""

    name: str
    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def per_second(self) -> float:
        return len(self.latencies_s) / self.elapsed_s

    @property
    def cpu_ms(self) -> float:
        """How much of a processor the other side took for each request."""
        return 1000 * self.cpu_s / len(self.latencies_s)


async def drive(name: str, sends: Sequence[Send], requests: Sequence[bytes]) -> Result:
    """Send all requests, as many at a time as there are senders, each waiting for its answer before the next."""
    result, waiting = Result(name), iter(requests)

    async def person(send: Send) -> None:
        for request in waiting:
            before = time.perf_counter()
            status = await send(request)
            result.latencies_s.append(time.perf_counter() - before)
            result.failed += status != 200

    gc.collect()
    gc.disable()  # this process holds all that it sends and is told: its own pauses are not the other side's
    begun = time.perf_counter()
    try:
        await asyncio.gather(*(person(send) for send in sends))
    finally:
        gc.enable()
    result.elapsed_s = time.perf_counter() - begun
    return result


class HttpConnection(asyncio.Protocol):
    """One kept-alive connection: writes whole requests, reads the status and the body's length of each answer."""

    def __init__(self) -> None:
        self._seen = bytearray()
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own name
        if self._answer and not self._answer.done():
            self._answer.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, rest = self._seen.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(bytes(head)):
            return
        self._seen.clear()
        if self._answer and not self._answer.done():
            self._answer.set_result(int(head[9:12]))

    async def send(self, request: bytes) -> int:
        if self._transport is None or self._transport.is_closing():
            return 0
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport:
            self._transport.close()


async def connect(port: int, count: int) -> list[HttpConnection]:
    loop = asyncio.get_running_loop()
    return [
        (await loop.create_connection(HttpConnection, "127.0.0.1", port))[1]
        for _ in itertools.repeat(None, count)
    ]


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
