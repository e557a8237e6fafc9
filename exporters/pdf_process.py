"""Typst in a child process.

Typst releases the interpreter lock while it works, so threads would go on; what it does not do is give its memory back
(800 MB stay after 5,000 findings) or stop when it takes too long. A process does both.
"""

import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from audit.errors import ConfigError, CountersignError

LONGEST_S = 180.0
_PROGRAM = Path(__file__).with_name("pdf_compile.py")
_KEPT_OF_ERROR = 2_000


def is_typst_here() -> bool:
    """Tell whether typst is installed, without importing it."""
    return find_spec("typst") is not None


def require_typst() -> None:
    """Make sure that typst is installed, without importing it.

    Raises:
        ConfigError: it is not; says how to get it.
    """
    if not is_typst_here():
        raise ConfigError("PDF needs the extra: pip install 'countersign[pdf]'")


def compile_folder(folder: Path, *, created: datetime, timeout_s: float = LONGEST_S) -> Path:
    """Lay out the template in a folder and return the PDF's path. The child gets no environment of ours.

    Raises:
        CountersignError: it took too long, or the machine had no memory left.
        ConfigError: the brand's logo is damaged.
    """
    command = [sys.executable, "-I", str(_PROGRAM), str(folder), str(int(created.timestamp()))]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            env={},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CountersignError(
            f"The PDF was not ready after {timeout_s:g} seconds. Export the report as html instead."
        ) from None
    if done.returncode:
        raise _failure(done.returncode, done.stderr.decode(errors="replace")[-_KEPT_OF_ERROR:])
    return folder / "report.pdf"


def _failure(code: int, said: str) -> Exception:
    """Tell apart what a person can mend; anything else is a bug and keeps what was said for the log."""
    if code < 0:
        return CountersignError(
            "The PDF could not be laid out: the machine had no memory left. Export the report as html instead."
        )
    if "failed to decode image" in said:
        return ConfigError("brand.logo cannot be drawn: the picture is damaged")
    return RuntimeError(f"typst failed with code {code}: {said}")
