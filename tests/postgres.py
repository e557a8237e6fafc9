"""A Postgres server for one test run: a cluster of its own in a temporary folder, on a socket there and nowhere else."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOW_TO_GET_IT = "apt-get install postgresql"
_SYSTEM_USER = "postgres"  # the server refuses to run as root; Debian's package makes this user


def find_server() -> Path | None:
    """Return the folder of the newest installed server's programs, as Debian lays them out, or those on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def running_postgres(programs: Path) -> Iterator[str]:
    """Run a server; yield its address, `postgresql://…`. Its files are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="countersign-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _SYSTEM_USER)
    try:
        _run(programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "countersign", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = (programs / "pg_ctl", "-D", folder / "data")
        _run(*control, "-w", "-o", options, "-l", folder / "log", "start")
        try:
            yield f"postgresql+psycopg://countersign@/postgres?host={folder}"
        finally:
            _run(*control, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    user = _SYSTEM_USER if os.geteuid() == 0 else None
    words = list(map(str, command))
    # What pg_ctl starts keeps its standard output: captured, the call would wait for it to end.
    done = subprocess.run(
        words, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(words)} ended with {done.returncode}")
