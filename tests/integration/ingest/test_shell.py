"""`countersign report ingest`: several files, packed ones, standard input, columns of one's own, a bar that moves."""

import gzip
import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from audit.errors import ConfigError, InputError
from audit.ingest.watched import watched
from bot.config import read_config
from bot.ingesting import _copy
from bot.progress import file_bar, make_progress
from tests.databases import migrate
from tests.unit.audit.ingest.known import KNOWN, PROWLER_CSV

pytestmark = pytest.mark.slow

NATIVE = KNOWN["Countersign JSON"].content
OWN = b"Finding,Risk\nOpen bucket,High\nOpen port,Low\n"
CONFIG = "policy:\n  approvers: [U012AB]\ningest:\n  csv_columns:\n    Finding: title\n    Risk: severity\n"


def countersign(
    folder: Path, *words: str, stdin: bytes = b"", **variables: str
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env=environment(folder) | variables,
        input=stdin,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "DATABASE_URL": f"sqlite:///{folder / 'test.db'}"}


def stored(folder: Path) -> list[tuple[str, int]]:
    """Return name and number of findings of each report, by name."""
    listed = json.loads(countersign(folder, "report", "list", "--json").stdout)
    return sorted((report["name"], report["summary"]["total_findings"]) for report in listed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    migrate(environment(tmp_path)["DATABASE_URL"])
    return tmp_path


def test_several_files_and_what_is_in_an_archive_each_on_its_own(folder: Path) -> None:
    (folder / "a.csv.gz").write_bytes(gzip.compress(PROWLER_CSV))
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.writestr("good.json", NATIVE)
        archive.writestr("page.html", "<html></html>")
    files = [str(folder / name) for name in ("missing", "a.csv.gz", "b.zip")]
    done = countersign(folder, "report", "ingest", *files)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert "No such file" in first
    assert second.startswith(
        "countersign: b.zip/page.html: not a format we read (Countersign JSON, Prowler OCSF, "
    )
    assert stored(folder) == [("a.csv.gz", 2), ("b.zip/good.json", 1)]


def test_standard_input(folder: Path) -> None:
    done = countersign(folder, "report", "ingest", "-", stdin=gzip.compress(PROWLER_CSV))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 findings from standard input" in done.stdout
    again = countersign(folder, "report", "ingest", "-", stdin=PROWLER_CSV)
    assert "nothing changed" in again.stdout
    empty = countersign(folder, "report", "ingest", "-")
    assert (empty.returncode, empty.stderr) == (1, "countersign: standard input: is empty\n")


def test_standard_input_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="standard input: is larger than 1,000 bytes"):
        _copy(io.BytesIO(b"x" * 1001), io.BytesIO(), most=1000)


def test_columns_of_ones_own(folder: Path) -> None:
    (folder / "own.csv").write_bytes(OWN)
    words = ("report", "ingest", str(folder / "own.csv"))
    unknown = countersign(folder, *words)
    assert (unknown.returncode, "not a format we read" in unknown.stderr) == (1, True)
    assert countersign(folder, *words, "--map", "Finding=title").returncode == 1
    done = countersign(folder, *words, "--map", "Finding=title", "--map", "Risk=severity")
    assert (done.returncode, stored(folder)) == (0, [("own.csv", 2)])


def test_columns_from_the_configuration(folder: Path) -> None:
    (folder / "own.csv").write_bytes(OWN)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    variables = {"COUNTERSIGN_CONFIG": str(folder / "config.yaml")}
    done = countersign(folder, "report", "ingest", str(folder / "own.csv"), **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(folder) == [("own.csv", 2)]


def test_a_mapping_that_cannot_be_used_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace("title", "titel"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"ingest.csv_columns: .*did you mean title\?"):
        read_config(path)


def test_the_bar_moves_with_the_bytes_that_are_read() -> None:
    content, screen = b"x" * 2**20, io.StringIO()
    progress = make_progress(Console(file=screen, force_terminal=True, width=100))
    seen = []
    with file_bar("a[b]\n.json", len(content), progress) as say:
        stream = watched(io.BytesIO(content), say)
        for _ in range(2):
            stream.seek(0)
            while stream.read(2**18):
                seen.append(progress.tasks[0].percentage)
    assert seen == [12.5, 25.0, 37.5, 50.0, 62.5, 75.0, 87.5, 100.0]
    assert "a[b]\ufffd.json" in screen.getvalue()


def test_a_terminal_shows_the_bar_and_a_log_does_not(folder: Path) -> None:
    (folder / "a.csv").write_bytes(PROWLER_CSV)
    words = [sys.executable, "-m", "bot", "report", "ingest", str(folder / "a.csv")]
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        words,
        env=environment(folder) | {"TERM": "xterm", "COLUMNS": "100"},
        stderr=theirs,
        stdout=subprocess.PIPE,
    )
    os.close(theirs)
    shown = read_until_closed(ours)
    assert child.communicate()[0].endswith(b"2 findings from a.csv\n")
    assert child.returncode == 0
    assert re.search(rb"a\.csv.*\d+%", shown)
    assert countersign(folder, "report", "ingest", str(folder / "a.csv")).stderr == ""


def read_until_closed(terminal: int) -> bytes:
    """Read a terminal until nobody writes to it any more, which Linux tells by an error."""
    shown = b""
    with suppress(OSError):
        while block := os.read(terminal, 4096):
            shown += block
    os.close(terminal)
    return shown
