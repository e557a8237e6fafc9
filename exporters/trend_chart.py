"""The trend over reports as a picture: stacked bars by severity, the score above them; and the words that say the same."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from audit.errors import ConfigError, CountersignError
from audit.findings import Severity
from audit.lifecycle import TrendPoint
from audit.wording import span_words
from exporters.pdf_process import is_typst_here
from exporters.templating import TEMPLATES
from exporters.text import clip, one_line

LONGEST_S = 30.0
MOST_POINTS = 20
_MOST_SCORES = 12
_LONGEST_NAME = 60
_LONGEST_ALT = 1900
_KEPT_OF_ERROR = 2_000
_PROGRAM = Path(__file__).with_name("chart_compile.py")
_LEVELS = [severity.lower() for severity in reversed(Severity)]


def draw_trend(points: Sequence[TrendPoint], *, name: str) -> bytes:
    """Return the newest points as a PNG; `name` is what the reports are of. The same input gives the same bytes.

    Raises:
        ConfigError: typst is not installed.
        CountersignError: it took too long.
    """
    if not is_typst_here():
        raise ConfigError("The picture needs the extra: pip install 'countersign[pdf]'")
    with TemporaryDirectory(prefix="countersign-chart-") as place:
        folder = Path(place)
        shutil.copyfile(TEMPLATES / "trend.typ", folder / "trend.typ")
        folder.joinpath("trend.json").write_bytes(orjson.dumps(_document(points[-MOST_POINTS:], name)))
        _compile(folder)
        return folder.joinpath("trend.png").read_bytes()


def digest_trend(points: Sequence[TrendPoint], *, name: str) -> str:
    """Return what tells two pictures apart: the same for the same picture, without drawing it."""
    return hashlib.sha256(orjson.dumps(_document(points[-MOST_POINTS:], name))).hexdigest()


def _compile(folder: Path) -> None:
    command = [sys.executable, "-I", str(_PROGRAM), str(folder), "trend"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, without our environment
            command,
            env={},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CountersignError(f"The picture was not ready after {LONGEST_S:g} seconds.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-_KEPT_OF_ERROR:]
        raise RuntimeError(f"typst failed with code {done.returncode}: {said}")


def describe_trend(points: Sequence[TrendPoint]) -> str:
    """Return in words what the picture shows, newest first, for those who cannot see it."""
    said = [_describe(point) for point in reversed(points[-MOST_POINTS:])]
    text = f"Failing findings over {len(said)} reports, newest first. {'; '.join(said)}."
    return text if len(text) <= _LONGEST_ALT else f"{text[:_LONGEST_ALT].rpartition(';')[0]}; and older ones."


def _describe(point: TrendPoint) -> str:
    counts = [f"{count:,} {severity.lower()}" for severity, count in point.failing.items() if count]
    score = "" if point.score is None else f", score {point.score:g} of 100"
    fixing = (
        f", fixed after {span_words(point.mean_time_to_fix)} on average" if point.mean_time_to_fix else ""
    )
    return f"{point.at:%Y-%m-%d}: {', '.join(counts) or 'nothing fails'}{score}{fixing}"


def caption(points: Sequence[TrendPoint], name: str) -> str:
    """Return the line below the title: what the reports are of, in the words that people know, without marks for breaks."""
    return f"{clip(one_line(name), _LONGEST_NAME)}, {len(points)} reports up to {points[-1].at:%Y-%m-%d}"


def _document(points: Sequence[TrendPoint], name: str) -> Mapping[str, object]:
    """Return what the template is given: every text ready to be shown, every height a share of the tallest bar."""
    most = max((sum(point.failing.values()) for point in points), default=0) or 1
    newest = points[-1]
    mean = newest.mean_time_to_fix
    return {
        "title": "Failing findings by severity",
        "subtitle": caption(points, name),
        "levels": _LEVELS,
        "legend": [
            [severity.lower(), f"{severity.capitalize()} {newest.failing[severity]:,}"]
            for severity in Severity
        ],
        "fixing": f"Mean time to fix since the report before: {span_words(mean)}" if mean else "",
        "points": [
            {
                "label": f"{point.at:%b %d}",
                "total": f"{sum(point.failing.values()):,}",
                "score": point.score,
                "show_score": len(points) <= _MOST_SCORES or point is newest,
                "shares": {severity.lower(): point.failing[severity] / most for severity in Severity},
            }
            for point in points
        ],
    }
