"""`countersign trail evidence` of what moves on while it is written: the zip that is left holds, or none is left."""

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from remediation.states import PlaybookStatus
from storage import Stores
from tests.databases import stores_at
from tests.fakes.switches import ANA, OMAR, Bench, door_finding, door_playbook
from tests.shell import countersign


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = stores_at(f"sqlite:///{tmp_path / 'test.db'}")
    yield stores
    stores.close()


@pytest.fixture
def bench(stores: Stores) -> Bench:
    return Bench(stores.executions)


def asked(bench: Bench) -> str:
    return bench.remediation.request(door_playbook(), door_finding(), ANA).execution_id


@contextmanager
def meanwhile(act: Callable[[int], None]) -> Iterator[list[int]]:
    """Act each time that the trail is read from its beginning, right before: what stands in the files beside it was read already."""
    times, is_ours = list[int](), list[bool]()

    def heed(
        _connection: object, _cursor: object, statement: str, values: Iterable[object], *_: object
    ) -> None:
        if is_ours or "FROM trail" not in statement or next(iter(values), None) != 0:
            return
        is_ours.append(True)  # what the act reads itself
        times.append(len(times) + 1)
        act(times[-1])
        is_ours.clear()

    event.listen(Engine, "before_cursor_execute", heed)
    try:
        yield times
    finally:
        event.remove(Engine, "before_cursor_execute", heed)


def check(zipped: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    command = [sys.executable, "-I", "-S", str(folder / "check.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_moved_on_while_it_was_written_is_written_anew(tmp_path: Path, bench: Bench) -> None:
    name, out = asked(bench), tmp_path / "proof.zip"

    def move_on(time: int) -> None:
        if time == 1:
            bench.remediation.approve(name, OMAR)
        elif time == 2:
            bench.runner.run(name)

    with meanwhile(move_on) as times:
        done = countersign(tmp_path, "trail", "evidence", name, "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert len(times) == 3
    checked = check(out, tmp_path / "unpacked")
    assert checked.returncode == 0, checked.stdout
    assert f"{name}: COMPLETED" in checked.stdout


def test_what_never_settles_is_given_up_with_words_and_leaves_what_was_there(
    tmp_path: Path, bench: Bench
) -> None:
    name, out = asked(bench), tmp_path / "proof.zip"
    assert countersign(tmp_path, "trail", "evidence", name, "-o", str(out)).returncode == 0
    earlier = out.read_bytes()

    def move_on(time: int) -> None:
        bench.board.switches["door"] = f"open, for the {time}. time"
        bench.remediation.approve(name, OMAR)
        assert bench.runner.run(name).status is PlaybookStatus.PENDING, "it is asked for anew"

    with meanwhile(move_on) as times:
        done = countersign(tmp_path, "trail", "evidence", name, "-o", str(out))
    assert done.returncode == 1
    assert "It changes all the time: ask for its evidence when it is over." in done.stderr
    assert len(times) == 5
    assert out.read_bytes() == earlier
    assert check(out, tmp_path / "unpacked").returncode == 0
    assert [path.name for path in tmp_path.glob("*.part")] + [path.name for path in tmp_path.glob(".*")] == []


def test_what_stands_still_is_read_once(tmp_path: Path, bench: Bench) -> None:
    name, out = asked(bench), tmp_path / "proof.zip"
    with meanwhile(lambda _time: None) as times:
        assert countersign(tmp_path, "trail", "evidence", name, "-o", str(out)).returncode == 0
    assert times == [1]
