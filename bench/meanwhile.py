"""How long a decision takes while a large report goes in: from the click, written down, to the committed approval.

Part of `ingest_bench.py --approvals`. One click every 100 ms, of real stores and the real use case, in two ways: the report goes in by the same
process, as one that was shared in Slack does, or by another one, as `countersign report ingest` does. Beside them, the same clicks alone.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit.actor import Actor
from bench import synthetic
from bench.decision_bench import Clicks, p50, p99, prepare
from bot.reading_apart import open_apart
from storage import Stores

GOAL_MS = 500
_EVERY_S = 0.1
_ALONE_S = 10
_MOST_CLICKS = 4000


def take_in(path: Path, url: str) -> None:
    """Take a file into the database at an address."""
    stores = Stores.open(url)
    with path.open("rb") as stream, open_apart(stream, path.name) as members:
        stores.reports.ingest(next(members).open(), actor=Actor(origin="cli"), now=synthetic.NOW)
    stores.close()


def measure(path: Path) -> None:
    """Print how long decisions took while a file went in."""
    sides: dict[str, Callable[[str], object]] = {
        "nobody": lambda _: time.sleep(_ALONE_S),
        "the same process": lambda url: take_in(path, url),
        "another process": lambda url: subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, Path(__file__).with_name("ingest_bench.py"), "--into", url, "--path", path],
            check=True,
        ),
    }
    for name, side in sides.items():
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            clicks, took_s = _clicks_during(Path(folder) / "d", side)
        verdict = "reached" if p99(clicks) < GOAL_MS else "MISSED"
        print(
            f"{len(clicks):>4,} decisions while {name} takes it in, {took_s:.1f} s: "
            f"p50 {p50(clicks):.0f} ms  p99 {p99(clicks):.0f} ms  slowest {max(clicks):.0f} ms, goal {GOAL_MS} ms: {verdict}"
        )


def _clicks_during(folder: Path, side: Callable[[str], object]) -> tuple[list[float], float]:
    """Return the milliseconds of each decision, and the seconds that the report took."""
    url = prepare(folder, _MOST_CLICKS)
    clicks = Clicks(url)
    came: dict[str, float] = {}
    before = time.perf_counter()
    with ThreadPoolExecutor(1) as other:
        loading = other.submit(side, url)
        while not loading.done() and len(came) < _MOST_CLICKS:
            number = len(came)
            came[f"x-{number:012x}"] = clicks.click(number)
            time.sleep(_EVERY_S)
        loading.result()
    took_s = time.perf_counter() - before
    while len(clicks.decided) < len(came):
        time.sleep(0.01)
    clicks.worker.stop()
    clicks.stores.close()
    return [1000 * (clicks.decided[name] - at) for name, at in came.items()], took_s
