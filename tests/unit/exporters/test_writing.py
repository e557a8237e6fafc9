import os
import stat
from pathlib import Path

import pytest

from audit.errors import InputError
from exporters.writing import replacing, write_whole


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    with replacing(target) as out:
        out.write(b"half")
        assert not target.exists()
        out.write(b" and half")
    assert target.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_nothing_new(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(target) as out:
        out.write(b"new" * (1 // 0))
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_writing_twice_replaces_and_never_appends(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    write_whole(target, b"a longer first version")
    write_whole(target, b"second")
    assert target.read_bytes() == b"second"


def test_a_relative_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("reports/audit.json", b"{}")
    assert (tmp_path / "reports" / "audit.json").read_bytes() == b"{}"


def test_a_full_disk_is_told_with_the_path(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    with pytest.raises(InputError, match=r"report\.json cannot be written: No space left"), replacing(target):
        raise OSError(28, os.strerror(28))
    assert list(tmp_path.iterdir()) == []


def test_the_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "report.json", b"{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640


def unwritable(folder: Path) -> dict[str, str]:
    (folder / "a-file").write_bytes(b"")
    (folder / "a-folder").mkdir()
    os.mkfifo(folder / "a-pipe")
    return {
        "missing folder": str(folder / "nowhere" / "report.json"),
        "file as folder": str(folder / "a-file" / "report.json"),
        "folder as file": str(folder / "a-folder"),
        "pipe": str(folder / "a-pipe"),
        "no name": "",
        "nul": f"{folder}/a\0b",
        "too long": str(folder / ("x" * 300)),
    }


@pytest.mark.parametrize(
    "kind",
    ["missing folder", "file as folder", "folder as file", "pipe", "no name", "nul", "too long"],
)
def test_an_unwritable_path_is_named_and_nothing_is_left(kind: str, tmp_path: Path) -> None:
    path = unwritable(tmp_path)[kind]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as told:
        write_whole(path, b"{}")
    assert path in f"{told.value}“”"
    assert sorted(tmp_path.rglob("*")) == before


def test_whoever_reads_the_old_file_goes_on_reading_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        write_whole(target, b"new")
        assert reader.read() == b"old"
