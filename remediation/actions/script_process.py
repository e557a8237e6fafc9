"""Running a script: its own copy, its own process group, an empty environment, limits on time and output.

What runs is a private copy of the content that was hashed, so a file that changes at the last moment changes nothing. Whatever is left
of the process group when the script ends, or when it may not go on, is killed.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from audit.errors import Cause, PermanentActionError, TemporaryActionError
from remediation.actions.script_folder import Script

MOST_OUTPUT = 64 * 1024
_LOOK_EVERY_S = 0.02
_CHUNK = 16 * 1024
_TOLD = 200
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user and group that a script runs as, by number."""

    uid: int
    gid: int


def run_script(script: Script, stdin: bytes, *, timeout_s: float, run_as: RunAs | None) -> None:
    """Run a script to its end.

    Raises:
        PermanentActionError: it could not be started, ended with another status than 0, or said too much.
        TemporaryActionError: it was not done in time.
    """
    with _copy(script, run_as) as path, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        with _started(script, path, given, run_as) as process:
            said = _listen(script, process, deadline=time.monotonic() + timeout_s)
        if process.returncode:
            raise _failed(script, f"ended with status {process.returncode}{_last_line(said)}")


@contextmanager
def _copy(script: Script, run_as: RunAs | None) -> Iterator[Path]:
    """Yield a copy that whoever runs it may read and not write to, and that nobody else sees."""
    with tempfile.TemporaryDirectory(prefix="countersign-script-") as name:
        folder, path = Path(name), Path(name, script.name)
        path.write_bytes(script.content)
        path.chmod(0o550)
        if run_as:
            os.chown(path, -1, run_as.gid)
            os.chown(folder, -1, run_as.gid)
            folder.chmod(0o750)
        yield path


@contextmanager
def _started(
    script: Script, path: Path, given: IO[bytes], run_as: RunAs | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start it as the leader of a process group, and end all of the group at the end."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the one place that runs a file of the configured folder; no shell
            [str(path)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=path.parent,
            env={"PATH": _PATH, "HOME": str(path.parent), "LANG": "C.UTF-8"},
            start_new_session=True,
            umask=0o077,
            user=run_as.uid if run_as else None,
            group=run_as.gid if run_as else None,
            extra_groups=[] if run_as else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        why = error.strerror if isinstance(error, OSError) else "the user could not be switched"
        raise _failed(script, f"could not be started ({why})") from None
    try:
        yield process
    finally:
        # The leader is not yet reaped here, so its number still is this group's and nobody else's.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _listen(script: Script, process: "subprocess.Popen[bytes]", *, deadline: float) -> bytes:
    """Return what it says until it ends."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    said = b""
    while True:
        has_ended = _has_ended(
            process.pid
        )  # looked at before the pipe is emptied, so that no last word is lost
        said += _drain(pipe, MOST_OUTPUT - len(said) + 1)
        if len(said) > MOST_OUTPUT:
            raise _failed(script, f"was stopped: it wrote more than {MOST_OUTPUT // 1024} kB")
        if has_ended:
            return said
        if time.monotonic() >= deadline:
            raise TemporaryActionError(
                f"The script “{script.name}” was stopped: its time was over", cause=Cause.TIMED_OUT
            )
        time.sleep(_LOOK_EVERY_S)


def _has_ended(pid: int) -> bool:
    """Tell whether a child has ended, and leave it to be reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _drain(pipe: int, most: int) -> bytes:
    """Return what stands in a pipe now, `most` bytes of it at the most."""
    read = b""
    while len(read) < most:
        try:
            chunk = os.read(pipe, min(_CHUNK, most - len(read)))
        except BlockingIOError:
            break
        if not chunk:
            break
        read += chunk
    return read


def _last_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[:_TOLD]}" if last else ""


def _failed(script: Script, why: str) -> PermanentActionError:
    return PermanentActionError(f"The script “{script.name}” {why}", cause=Cause.SCRIPT_FAILED)
