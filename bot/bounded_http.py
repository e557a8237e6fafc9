"""HTTP/1.1 as uvicorn reads it with `httptools`, and no request of any length.

The parser sets no limit of its own: a header or a trailer that never ends would fill the memory, before anything is signed.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Twice what the largest body may be: a body that is too large is answered in words, with what it is too large for.
MOST_REQUEST_BYTES: Final = 2 * 1024 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Closes the connection of a request that is longer, with its head and its trailers, than any that is answered."""

    _received_bytes = 0

    def on_message_begin(self) -> None:
        """Count anew: another request begins on this connection."""
        self._received_bytes = 0
        super().on_message_begin()

    def data_received(self, data: bytes) -> None:
        """Read on, unless it has become too much; the loop hands over at most 256 KiB at a time."""
        super().data_received(data)
        self._received_bytes += len(data)
        if self._received_bytes > MOST_REQUEST_BYTES and not self.transport.is_closing():
            self.send_400_response("Too large.")
