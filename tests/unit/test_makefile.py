"""What `make demo` shows of an installation: how far it is, every error whole, and pip's own verdict."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUTINE = "".join(f"Collecting pkg{number}\n  Downloading pkg{number}.whl\n" for number in range(23))
DONE = "Installing collected packages: a, b, c\nSuccessfully installed a-1 b-2 c-3\n"
BROKEN = "  error: subprocess-exited-with-error\n  ╰─> [2 lines of output]\n      Collecting nothing\nhint: see above\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with our Makefile, where the virtual environment is there already."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").mkdir()
    for name in ("pyproject.toml", "constraints.txt", ".venv/.python"):
        (tmp_path / name).touch()
    return tmp_path


def install(folder: Path, said: str, *, status: int) -> "subprocess.CompletedProcess[str]":
    """Run the installation with a pip that says this and ends like that."""
    (folder / "said").write_text(said, encoding="utf-8")
    (folder / "pip").write_text(f"cat said\nexit {status}\n", encoding="utf-8")
    command = ["make", "--no-print-directory", "PIP=sh pip", ".venv/.demo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_routine_becomes_a_count(folder: Path) -> None:
    done = install(folder, ROUTINE + DONE, status=0)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        "  10 packages found …",
        "  20 packages found …",
        "  Installing 3 packages …",
        "  Installed 3 packages.",
    ]
    assert (folder / ".venv" / ".demo").exists()


def test_an_error_is_shown_whole_and_fails(folder: Path) -> None:
    done = install(folder, ROUTINE + BROKEN, status=3)
    assert done.returncode != 0
    assert "Error 3" in done.stderr
    assert BROKEN.strip() in done.stdout
    assert not (folder / ".venv" / ".demo").exists()


def test_a_warning_is_shown(folder: Path) -> None:
    assert "WARNING: 99% full" in install(folder, "WARNING: 99% full\n" + DONE, status=0).stdout


def test_a_pip_that_fails_without_a_word_fails_too(folder: Path) -> None:
    assert install(folder, "", status=1).returncode != 0
