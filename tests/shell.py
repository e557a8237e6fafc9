"""The command line for tests: in this process, which spares a test the start of one per command."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from bot.cli import main

Done = subprocess.CompletedProcess[str]


def countersign(folder: Path, *words: str, **variables: str) -> Done:
    """Run a command as `python -m bot` would, with nothing in its environment but a database in the folder.

    What a process of its own has to show (its start, its end, what it leaves open) is tested with `countersign_process`.
    """
    return run_in(_environment(folder, variables), *words)


def run_in(environment: Mapping[str, str], *words: str) -> Done:
    """Run a command with an environment of its own; see `countersign`."""
    out, err = _stream(), _stream()
    with _as_process(words, environment), redirect_stdout(out), redirect_stderr(err):
        code = _exit_code()
    return subprocess.CompletedProcess(words, code, _text(out), _text(err))


def countersign_process(folder: Path, *words: str, **variables: str) -> Done:
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(
        command, env=_environment(folder, variables), capture_output=True, text=True, check=False
    )


def _environment(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "DATABASE_URL": f"sqlite:///{folder / 'test.db'}", **variables}


@contextmanager
def _as_process(words: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[None]:
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["bot", *words]),
    ):
        yield


def _exit_code() -> int:
    try:
        main()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
