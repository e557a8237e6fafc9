"""The child process that lays the PDF out: what happens when it cannot."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from audit.errors import ConfigError, CountersignError
from exporters.brand import Brand
from exporters.pdf_process import _failure, compile_folder
from tests.conftest import need
from tests.unit.exporters.pdf_pages import pdf_of, require_tools
from tests.unit.exporters.samples import NOW, report

_WITHOUT_TYPST = """
import io, sys
from datetime import UTC, datetime
sys.modules["typst"] = None
from audit.errors import ConfigError
from exporters.pdf_exporter import write_pdf
from exporters.source import ReportSource
now = datetime(2026, 11, 24, tzinfo=UTC)
try:
    write_pdf(ReportSource.from_data({"findings": []}, now=now), io.BytesIO(), now=now)
except ConfigError as error:
    print(error)
"""
ENDLESS = "#for a in range(100000) { for b in range(100000) { let c = a * b } }"
_WHAT_IS_LOADED = "import exporters, exporters.pdf_exporter, sys; print('typst' in sys.modules)"


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_the_extra_it_says_how_to_get_it() -> None:
    assert said_by(_WITHOUT_TYPST) == "PDF needs the extra: pip install 'countersign[pdf]'"


def test_importing_does_not_load_typst() -> None:
    assert said_by(_WHAT_IS_LOADED) == "False"


def test_a_damaged_logo_is_named() -> None:
    with pytest.raises(ConfigError, match=r"brand\.logo"):
        pdf_of(report(), brand=Brand(logo=b"\x89PNG\r\n\x1a\n and then nothing"))


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    require_tools()
    (tmp_path / "report.typ").write_text(ENDLESS)
    with pytest.raises(CountersignError, match="not ready after"):
        compile_folder(tmp_path, created=NOW, timeout_s=0.5)
    assert not (tmp_path / "report.pdf").exists()


def test_a_child_that_is_killed_is_not_blamed_on_the_report() -> None:
    """To see it for real takes four gigabytes; it was seen once."""
    failure = _failure(-signal.SIGABRT, "memory allocation of 9000000000 bytes failed")
    assert isinstance(failure, CountersignError)
    assert "no memory left" in str(failure)


def test_a_fault_of_our_own_keeps_what_typst_said(tmp_path: Path) -> None:
    require_tools()
    (tmp_path / "report.typ").write_text("#nonsense()")
    with pytest.raises(RuntimeError, match="unknown variable: nonsense"):
        compile_folder(tmp_path, created=NOW)


def test_the_child_gets_no_environment_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_tools()
    need(Path("/proc/self/environ"), "only Linux shows the environment of a process")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-not-for-typst")
    (tmp_path / "report.typ").write_text(ENDLESS)
    with ThreadPoolExecutor(1) as threads:
        compiling = threads.submit(compile_folder, tmp_path, created=NOW, timeout_s=2)
        while not (environment := environment_of_child(tmp_path)) and not compiling.done():
            time.sleep(0.02)
        assert isinstance(compiling.exception(), CountersignError)
    assert environment == "none"


def environment_of_child(folder: Path) -> str:
    """Return the environment of the process that works on a folder, `none` for an empty one, nothing before it runs."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in process.joinpath("cmdline").read_bytes().split(b"\0"):
                return process.joinpath("environ").read_bytes().decode() or "none"
    return ""
