"""Files of strangers, read by a process of its own.

It uses the second processor while this one stores what it says, so that whoever decides meanwhile does not wait for Python's lock. And
what a file may do to whoever reads it, it does to a process without tokens, whose memory has an end (docs/adr/0010).
"""

import fcntl
import io
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from audit.errors import CountersignError, InputError
from audit.ingest import ColumnMap, Member
from audit.ingest.frames import CutOffError
from audit.ingest.hearing import Hearing
from audit.ingest.naming import printable
from audit.ingest.watched import Say, say_nothing
from bot.reading_child import NO_MEMORY

MOST_MEMORY: Final = 2 * 2**30
_PROGRAM: Final = Path(__file__).resolve().with_name("reading_child.py")
_LOOK_AHEAD_BYTES: Final = 2**20
"""As much as the reading process may be ahead, beside the batch that it is working on."""

_GRACE_S: Final = 5.0
_KEPT_OF_ERROR: Final = 4000


@contextmanager
def open_apart(
    stream: BinaryIO,
    name: str,
    *,
    columns: ColumnMap | None = None,
    say: Say = say_nothing,
    most_memory: int = MOST_MEMORY,
) -> Iterator[Iterator[Member]]:
    """Open a file in a process of its own, which ends with the block; see `audit.ingest.OpenFile`.

    Raises:
        InputError: also where reading takes more than `most_memory` bytes of address space.
        CountersignError: the process was killed.
        RuntimeError: it failed; says how.
    """
    with (
        tempfile.TemporaryFile() as complaints,
        _on_disk(stream) as file,
        _started(file.fileno(), complaints, most_memory) as child,
        _hearing(child, say) as hearing,
    ):
        try:
            hearing.begin(json.dumps([name, dict(columns or {})]).encode())
            yield hearing.members()
        except CutOffError as error:
            raise _why(child, complaints, name) from error


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Return a file that another process can read: what is in memory is copied to where it goes away by itself."""
    try:
        stream.fileno()
    except OSError:
        with tempfile.TemporaryFile() as file:
            stream.seek(0)
            shutil.copyfileobj(stream, file)
            file.flush()
            yield cast("BinaryIO", file)
        return
    stream.flush()
    yield stream


@contextmanager
def _started(descriptor: int, complaints: IO[bytes], most_memory: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the process with one file and two pipes, and nothing else of ours; end it with the block."""
    command = [sys.executable, "-I", str(_PROGRAM), str(descriptor), str(most_memory)]
    child = subprocess.Popen(  # noqa: S603 - our own program
        command,
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        pass_fds=(descriptor,),
        start_new_session=True,  # Ctrl-C is for us to answer
        bufsize=0,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


@contextmanager
def _hearing(child: "subprocess.Popen[bytes]", say: Say) -> Iterator[Hearing]:
    assert child.stdin is not None  # noqa: S101 - both were asked for; narrows the types
    assert child.stdout is not None  # noqa: S101
    with suppress(OSError, AttributeError):  # Linux alone has pipes of a chosen size, and not for everybody
        fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, _LOOK_AHEAD_BYTES)
    with io.BufferedReader(cast("io.RawIOBase", child.stdout)) as heard:
        yield Hearing(heard, cast("BinaryIO", child.stdin), say)


def _why(child: "subprocess.Popen[bytes]", complaints: IO[bytes], name: str) -> Exception:
    """Return what to say where the process ended too early."""
    try:
        code = child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        code = child.wait()
    if code == NO_MEMORY:
        return InputError(f"{printable(name)}: takes more memory to read than a file is given")
    if code < 0:
        return CountersignError(
            f"{printable(name)}: reading it was cut short ({_signal(-code)}, perhaps because the machine has no memory left). "
            "Nothing of it was stored; try again"
        )
    complaints.seek(0)
    said = complaints.read()[-_KEPT_OF_ERROR:].decode(errors="replace")
    return RuntimeError(f"reading a file failed with code {code}: {said}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of those for real time
        return f"signal {number}"
