"""Files read by a process of their own: the same comes of them, and what befalls that process befalls nobody else."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import orjson
import pytest
from sqlalchemy import text

from audit.errors import CountersignError, InputError
from audit.ingest import Member, OpenFile, Reading, open_here
from audit.ingest.packing import Batch, Packed, Sum, pack
from bot.reading_apart import open_apart
from storage import Stores, open_engine, upgrade
from tests.conftest import sample
from tests.fakes.samples import ANALYST, NOW
from tests.unit.audit.ingest.known import KNOWN
from tests.unit.audit.ingest.test_every_format import SAMPLES

ROOT = Path(__file__).resolve().parents[3]
CANARY = "xoxb-canary-of-the-environment"
ENDS_WITHIN_S = 30
ODD = {
    "truncated.json": b'{"findings": [{"id": "1", "title": "T", "severity": "LOW"}, {"id":',
    "utf16.csv": "a,b".encode("utf-16"),
    "empty.json": b"",
    "nuls.json": b"\0" * 100,
    "page.html": b"<html></html>",
    "nothing usable.json": b'{"findings": [{"id": "1", "title": "T", "severity": "odd"}, 7]}',
    "some usable.json": b'{"findings": [{"id": "1", "title": "T\xc3\xbcr", "severity": "LOW"}, {"id": "2"}]}',
}


def large(count: int) -> bytes:
    """Return a report whose findings share no texts: a good kilobyte each."""
    findings = [
        {"id": f"f-{number}", "title": "Open", "severity": "HIGH", "description": f"{number} " + "x" * 1000}
        for number in range(count)
    ]
    return orjson.dumps({"findings": findings})


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def drained(reading: Reading) -> tuple[list[Batch], Sum]:
    batches, source = [], reading.packed or pack(reading.items)
    while True:
        try:
            batches.append(next(source))
        except StopIteration as end:
            return batches, end.value


def what_comes_of(open_file: OpenFile, content: bytes, name: str = "all.zip") -> list[object]:
    """Return all that is read of a file, or what is wrong with it."""
    found: list[object] = []
    with open_file(io.BytesIO(content), name, columns={"Own": "title", "Risk": "severity"}) as members:
        for member in members:
            try:
                reading = member.open()
                batches, total = drained(reading)
            except InputError as error:
                found.append((member.label, type(error), str(error)))
                continue
            rows = [orjson.loads(orjson.dumps(total)), batches]
            about = (reading.source, reading.name, reading.content_sha256, reading.generated_at)
            found.append((member.label, about, rows))
    return found


def child() -> int:
    """Return the id of the one process that we have started."""
    found = [
        int(pid)
        for thread in Path("/proc/self/task").iterdir()
        for pid in (thread / "children").read_text().split()
        if b"reading_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    (pid,) = found
    return pid


def is_gone(pid: int) -> bool:
    """Tell whether a process ends soon."""
    until = time.monotonic() + ENDS_WITHIN_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > until or _is_dead(pid):
            return _is_dead(pid)
        time.sleep(0.02)
    return True


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
    except FileNotFoundError:
        return True


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    url = f"sqlite:///{tmp_path}/countersign.db"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    opened = Stores.open(url)
    yield opened
    opened.close()


def rows(stores: Stores) -> list[int]:
    tables = ("reports", "findings", "finding_texts", "report_scopes", "trail")
    with stores.database.reading() as session:
        counts = (text(f"SELECT count(*) FROM {name}") for name in tables)  # noqa: S608
        return [session.connection().execute(count).scalar_one() for count in counts]


def test_the_same_comes_of_every_format_and_of_what_is_broken() -> None:
    files = {f"{name}.{number}": known.content for number, (name, known) in enumerate(KNOWN.items())}
    files |= ODD | {"own.csv": b"Own,Risk\nOpen bucket,High\n"}
    here = what_comes_of(open_here, packed(files))
    assert what_comes_of(open_apart, packed(files)) == here
    assert len(here) == len(files)
    assert sum(isinstance(each[1], type) for each in here) == 5  # type: ignore[index]


def test_the_same_comes_of_every_sample() -> None:
    files = {name: sample(name).read_bytes() for name in SAMPLES}
    apart = what_comes_of(open_apart, packed(files))
    assert apart == what_comes_of(open_here, packed(files))
    counts = {label.removeprefix("all.zip/"): found[0]["total"] for label, _, found in apart}  # type: ignore[misc]
    assert counts == {name: count for name, (_, count) in SAMPLES.items()}


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"\x1f\x8b and no more", b""])
def test_the_same_is_said_of_a_file_that_fails_as_a_whole(content: bytes) -> None:
    said = []
    for open_file in (open_here, open_apart):
        with pytest.raises(InputError) as error, open_file(io.BytesIO(content), "a\nb.zip") as members:
            [member.open() for member in members]
        said.append(str(error.value))
    assert said[0] == said[1]
    assert said[0].startswith("a\ufffdb.zip: ")


def test_it_gets_no_token_no_descriptor_and_little_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", CANARY)
    with socket.socket() as ours:
        ours.set_inheritable(True)
        with open_apart(io.BytesIO(large(1)), "one.json") as members:
            next(members)
            place = Path(f"/proc/{child()}")
            assert (place / "environ").read_bytes() == b""
            held = sorted(str(each.readlink()).partition(":")[0] for each in (place / "fd").iterdir())
            limits = (place / "limits").read_text()
    assert [name for name in held if name == "pipe"] == ["pipe", "pipe"]
    assert all("(deleted)" in name for name in held if name != "pipe")
    assert "socket" not in held
    for line in (
        "Max address space         2147483648",
        "Max processes             0 ",
        "Max core file size        0 ",
    ):
        assert line in limits


def test_what_takes_too_much_memory_is_the_files_fault(stores: Stores) -> None:
    with (
        pytest.raises(InputError, match=r"^big\.json: takes more memory to read than a file is given$"),
        open_apart(io.BytesIO(large(1000)), "big.json", most_memory=2**20) as members,
    ):
        stores.reports.ingest(next(members).open(), actor=ANALYST, now=NOW)
    assert rows(stores) == [0] * 5


def _killed_at_once(members: Iterator[Member]) -> Reading:
    os.kill(child(), signal.SIGKILL)
    return next(members).open()


def _killed_before_it_reads(members: Iterator[Member]) -> Reading:
    member = next(members)
    os.kill(child(), signal.SIGKILL)
    return member.open()


def _killed_once_it_knows(members: Iterator[Member]) -> Reading:
    reading = next(members).open()
    os.kill(child(), signal.SIGKILL)
    return reading


def _killed_between_batches(members: Iterator[Member]) -> Reading:
    reading = next(members).open()

    def torn(source: Packed) -> Packed:
        yield next(source)
        os.kill(child(), signal.SIGKILL)
        return (yield from source)

    assert reading.packed is not None
    return replace(reading, packed=torn(reading.packed))


@pytest.mark.parametrize(
    "kill", [_killed_at_once, _killed_before_it_reads, _killed_once_it_knows, _killed_between_batches]
)
def test_whenever_it_is_killed_one_error_says_so_and_nothing_is_stored(
    stores: Stores, kill: Callable[[Iterator[Member]], Reading]
) -> None:
    with (
        pytest.raises(CountersignError, match=r"^big\.json: reading it was cut short \(SIGKILL") as error,
        open_apart(io.BytesIO(large(6000)), "big.json") as members,
    ):
        stores.reports.ingest(kill(members), actor=ANALYST, now=NOW)
    assert not isinstance(error.value, InputError)
    assert rows(stores) == [0] * 5


def test_its_own_mistakes_are_told_with_where_they_were_made() -> None:
    class Unreadable(io.BytesIO):
        """Is no file for another process once it is open: a folder."""

        def __init__(self) -> None:
            super().__init__()
            self._folder = os.open("/", os.O_RDONLY)

        def fileno(self) -> int:
            return self._folder

    with (
        pytest.raises(RuntimeError, match="(?s)code 1: Traceback.*IsADirectoryError"),
        open_apart(Unreadable(), "a folder") as members,
    ):
        next(members)


def test_it_ends_with_the_block_whatever_ends_that() -> None:
    def interrupted() -> None:
        with open_apart(io.BytesIO(large(6000)), "big.json") as members:
            pid.append(child())
            assert os.getpgid(pid[0]) != os.getpgrp(), "Ctrl-C is for us alone"
            source = next(members).open().packed
            assert source is not None
            next(source)
            raise KeyboardInterrupt

    pid: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not Path(f"/proc/{pid[0]}").exists()


def test_what_is_told_may_end_it() -> None:
    def say(_bytes: int) -> None:
        raise CountersignError("I am being restarted")

    with (
        pytest.raises(CountersignError, match="restarted"),
        open_apart(io.BytesIO(large(1)), "one.json", say=say) as members,
    ):
        next(members).open()


def test_all_bytes_are_told_of_once_for_the_digest_and_once_for_the_findings() -> None:
    told: list[int] = []
    content = large(6000)
    with open_apart(io.BytesIO(content), "big.json", say=told.append) as members:
        for member in members:
            drained(member.open())
    assert 2 * len(content) <= sum(told) <= 2.5 * len(content)
    assert len(told) > 2


def test_a_member_left_alone_in_the_middle_is_no_obstacle_to_the_next() -> None:
    content = packed({"a.json": large(3000), "b.json": large(2), "c.json": large(3), "d.json": large(4)})
    found = []
    with open_apart(io.BytesIO(content), "all.zip") as members:
        source = next(members).open().packed
        assert source is not None
        next(source)
        next(members)
        next(members).open()
        found = [drained(member.open())[1].total for member in members]
    assert found == [4]


def test_it_reads_no_further_ahead_than_a_pipe_holds(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_bytes(large(20_000))
    with path.open("rb") as stream, open_apart(stream, path.name) as members:
        source = next(members).open().packed
        assert source is not None
        next(source)
        assert where_it_waits(child(), stream) < path.stat().st_size / 3


def where_it_waits(pid: int, stream: BinaryIO) -> int:
    """Return how far a process has read that waits until it is heard."""
    until, seen = time.monotonic() + ENDS_WITHIN_S, -1
    while time.monotonic() < until:
        place = int(Path(f"/proc/{pid}/fdinfo/{stream.fileno()}").read_text().split()[1])
        is_asleep = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
        if is_asleep and place == seen:
            return place
        seen = place
        time.sleep(0.1)
    raise AssertionError("it does not wait")


_PARENT = """
import io, sys
from bot.reading_apart import open_apart
from tests.integration.ingest.test_reading_apart import child, large

with open_apart(io.BytesIO(large(6000)), "big.json") as members:
    member = next(members)
    if sys.argv[1] == "reading":
        next(member.open().packed)
    print(child(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize("doing", ["waiting", "reading"])
def test_it_does_not_outlive_whom_it_reads_for(doing: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, doing],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert is_gone(pid)
