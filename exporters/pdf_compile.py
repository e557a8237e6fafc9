"""Lays the PDF out. Run as a program in a process of its own, so that it imports nothing of ours.

    python -I pdf_compile.py FOLDER UNIX_SECONDS

The folder holds `report.typ`, `report.json` and perhaps a logo; it is all that the template can read. The PDF appears in
it as `report.pdf`.
"""

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import typst

_MOST_MEMORY = 4 << 30
_NICENESS = 10
_REFUSED = "PDF/UA-1 error"


def main(folder: Path, created: int) -> None:
    """Compile, with as many fonts as it takes.

    Typst's embedded fonts give the same bytes on every machine, and PDF/UA refuses a character that none of them can
    draw. Only then the machine's own fonts are asked as well. What they lack too is shown as a box that still carries
    its text, in a tagged PDF that no longer claims PDF/UA.

    Raises:
        typst.TypstError: the template is broken, or a picture cannot be read.
    """
    try:
        _compile(folder, created, ignores_system_fonts=True)
    except _RefusedError:
        _compile_with_all_fonts(folder, created)


def _compile_with_all_fonts(folder: Path, created: int) -> None:
    try:
        _compile(folder, created, ignores_system_fonts=False)
    except _RefusedError:
        _compile(folder, created, ignores_system_fonts=False, standard=None)


class _RefusedError(Exception):
    """The document cannot keep what PDF/UA-1 promises."""


def _compile(
    folder: Path, created: int, *, ignores_system_fonts: bool, standard: Literal["ua-1"] | None = "ua-1"
) -> None:
    compiler = typst.Compiler(
        folder / "report.typ",
        root=folder,
        ignore_system_fonts=ignores_system_fonts,
        package_path=folder / "packages",
        package_cache_path=folder / "packages",
    )
    try:
        compiler.compile(
            output=folder / "report.pdf", format="pdf", pdf_standards=standard, timestamp=created
        )
    except typst.TypstError as error:
        if error.message.startswith(_REFUSED):
            raise _RefusedError from error
        raise


def _be_modest() -> None:
    """Give way to the bot's own threads, and die rather than take the machine's memory."""
    os.nice(_NICENESS)
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    _be_modest()
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except typst.TypstError as problem:
        sys.exit(problem.diagnostic)
