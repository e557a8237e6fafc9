"""Draws a chart. Run as a program in a process of its own, so that it imports nothing of ours.

    python -I chart_compile.py FOLDER NAME

The folder holds `NAME.typ` and `NAME.json`; it is all that the template can read. The picture appears in it as `NAME.png`.
Typst's embedded fonts alone: the same bytes on every machine.
"""

import sys
from pathlib import Path

import typst

_PIXELS_PER_INCH = 144.0


def main(folder: Path, name: str) -> None:
    """Draw it.

    Raises:
        typst.TypstError: the template is broken.
    """
    compiler = typst.Compiler(
        folder / f"{name}.typ",
        root=folder,
        ignore_system_fonts=True,
        package_path=folder / "packages",
        package_cache_path=folder / "packages",
    )
    compiler.compile(output=folder / f"{name}.png", format="png", ppi=_PIXELS_PER_INCH)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except typst.TypstError as problem:
        sys.exit(problem.diagnostic)
