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

import typst

_MOST_MEMORY = 4 << 30
_NICENESS = 10
# Typst's embedded fonts give the same bytes on every machine, and PDF/UA-1 refuses to export a character that none of
# its fonts can draw. Only then the machine's own fonts are asked; what they lack too is shown as a box that still
# carries its text, in a tagged PDF that no longer claims PDF/UA.
_ATTEMPTS: tuple[tuple[bool, list[typst.PDFStandard]], ...] = ((True, ["ua-1"]), (False, ["ua-1"]), (False, []))
_REFUSED = "PDF/UA-1 error"


def main(folder: Path, created: int) -> None:
    """Compile, with as many fonts as it takes.

    Raises:
        typst.TypstError: the template is broken, or a picture cannot be read.
    """
    for ignores_system_fonts, standards in _ATTEMPTS:
        compiler = typst.Compiler(
            folder / "report.typ",
            root=folder,
            ignore_system_fonts=ignores_system_fonts,
            package_path=folder / "packages",
            package_cache_path=folder / "packages",
        )
        try:
            compiler.compile(output=folder / "report.pdf", format="pdf", pdf_standards=standards, timestamp=created)
        except typst.TypstError as error:
            if not error.message.startswith(_REFUSED):
                raise
        else:
            return


def _be_modest() -> None:
    """Give way to the bot's own threads, and die rather than take the machine's memory."""
    os.nice(_NICENESS)
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    _be_modest()
    main(Path(sys.argv[1]), int(sys.argv[2]))
