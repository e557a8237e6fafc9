"""Reads a file of strangers. Run as a program in a process of its own, which has nothing to lose.

    python -I reading_child.py DESCRIPTOR MOST_MEMORY

The file is open under the descriptor. Standard input has a line of JSON, `[name, columns]`, and then the orders of
`audit/ingest/telling.py`, a line each; its end, which whoever started this may cause by dying, ends this process. Frames go to
standard output. No token is in the environment, because there is none.
"""

import json
import os
import resource
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Final

NO_MEMORY: Final = 77
_FAILED: Final = 1
_MOST_WRITTEN_BYTES: Final = 2**20
_MOST_OPEN_FILES: Final = 64


def main(descriptor: int, most_memory: int) -> None:
    """Tell what is in the file, under limits that hold from before its first byte is read."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from audit.ingest.telling import tell

    orders: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    name, columns = json.loads(orders.get())
    _limit(most_memory)
    with open(descriptor, "rb") as stream, open(sys.stdout.fileno(), "wb", closefd=False) as out:
        tell(stream, name, columns, ask=orders.get, out=out)


def _listen(orders: "SimpleQueue[bytes]") -> None:
    """Pass orders on; end with whoever gives them."""
    for line in sys.stdin.buffer:
        orders.put(line.strip())
    os._exit(0)


def _limit(most_memory: int) -> None:
    """Take from this process what reading a file does not need: memory without end, files, processes, dumps of what it held."""
    limits = (
        (resource.RLIMIT_AS, most_memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _MOST_WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, _MOST_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    )
    for kind, most in limits:
        with suppress(ValueError, OSError):  # macOS knows the first and refuses to set it
            resource.setrlimit(kind, (most, most))


def _die(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End at once: an orderly end would wait for the thread that listens."""
    if not issubclass(kind, MemoryError):
        traceback.print_exception(kind, error, trace)
        sys.stderr.flush()
    os._exit(NO_MEMORY if issubclass(kind, MemoryError) else _FAILED)


if __name__ == "__main__":
    sys.excepthook = _die
    main(int(sys.argv[1]), int(sys.argv[2]))
    os._exit(0)
