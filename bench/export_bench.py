"""How fast the writers are beside the plainest code that does the same work, and how much memory they take.

Each measurement runs in a process of its own: load the input, note the peak memory, write the file, report. Ratios are
of processor time, which a busy machine disturbs less than the clock on the wall does; both are printed.

    python bench/export_bench.py [--findings 50000] [--runs 3]
    python bench/export_bench.py --memory
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import baselines, synthetic
from exporters.csv_columns import SPECIFIED
from exporters.csv_writer import write_csv
from exporters.html_writer import write_html
from exporters.json_writer import write_json
from exporters.source import ReportSource

Work = Callable[[ReportSource, BinaryIO], object]
_BUFFER_BYTES = 1 << 20
MOST_MB = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A format, the baseline it is held against, and the ratio to reach."""

    name: str
    ours: str
    baseline: str
    goal: float


WORKS: dict[str, Work] = {
    "write_json": lambda source, out: write_json(source, out, now=synthetic.NOW),
    "orjson per finding": baselines.orjson_lines,
    "write_csv, guarded": lambda source, out: write_csv(source.records(), out, fields=SPECIFIED),
    "csv.writer": lambda source, out: baselines.csv_rows(source, out, SPECIFIED),
    "write_csv, guarded, all fields": lambda source, out: write_csv(
        source.records(), out, fields=baselines.ALL_FIELDS
    ),
    "csv.writer, all fields": lambda source, out: baselines.csv_rows(source, out, baselines.ALL_FIELDS),
    "write_html": lambda source, out: write_html(source, out, now=synthetic.NOW),
    "Jinja2, the page's 15 fields": lambda source, out: baselines.jinja_rows(
        source, out, baselines.PAGE_FIELDS
    ),
    "Jinja2, 11 fields": lambda source, out: baselines.jinja_rows(source, out, baselines.SHOWN_FIELDS),
}
PAIRS = (
    Pair("JSON", "write_json", "orjson per finding", 0.8),
    Pair("CSV, 8 columns", "write_csv, guarded", "csv.writer", 5.0),
    Pair("CSV, all fields", "write_csv, guarded, all fields", "csv.writer, all fields", 5.0),
    Pair("HTML", "write_html", "Jinja2, the page's 15 fields", 8.0),
    Pair("HTML, barest baseline", "write_html", "Jinja2, 11 fields", 8.0),
)


def measure(name: str, findings: int) -> dict[str, float]:
    """Do one piece of work in this process and return what it took."""
    records = list(synthetic.findings(findings))
    source = synthetic.source(records)
    loaded = _peak_mb()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "out").open("wb", _BUFFER_BYTES) as out:
        wall, cpu = time.perf_counter(), time.process_time()
        WORKS[name](source, out)
        out.flush()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = os.fstat(out.fileno()).st_size
    return {"wall_s": wall, "cpu_s": cpu, "above_mb": _peak_mb() - loaded, "mb": size / 1e6}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(name: str, findings: int) -> dict[str, float]:
    """Measure in a fresh interpreter."""
    command = [sys.executable, __file__, "--only", name, "--findings", str(findings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    return dict(json.loads(done.stdout))


def side_by_side(names: tuple[str, str], findings: int, runs: int) -> list[dict[str, float]]:
    """Measure two works in turns, and return the best of each: what disturbs a run only ever makes it slower."""
    taken = [[in_own_process(name, findings) for name in names] for _ in range(runs)]
    return [min(runs_of_one, key=itemgetter("cpu_s")) for runs_of_one in zip(*taken, strict=True)]


def line(name: str, findings: int, taken: dict[str, float]) -> str:
    """Return one line of the table."""
    return (
        f"{name:32}{findings / taken['cpu_s']:>12,.0f}{findings / taken['wall_s']:>12,.0f}"
        f"{taken['above_mb']:>9.1f}{taken['mb']:>9.0f}"
    )


def report(findings: int, runs: int) -> None:
    """Print the table and the ratios."""
    print(f"{findings:,} findings, best of {runs} runs in turns, each in its own process\n")
    print(f"{'':32}{'per cpu s':>12}{'per second':>12}{'+MB':>9}{'out MB':>9}")
    for pair in PAIRS:
        baseline, ours = side_by_side((pair.baseline, pair.ours), findings, runs)
        print(line(pair.baseline, findings, baseline))
        print(line(pair.ours, findings, ours))
        ratio, wall = baseline["cpu_s"] / ours["cpu_s"], baseline["wall_s"] / ours["wall_s"]
        reached = ratio >= pair.goal and ours["above_mb"] <= MOST_MB
        print(
            f"  {pair.name}: {ratio:.2f}x (wall {wall:.2f}x), goal {pair.goal}x within {MOST_MB} MB: {_word(reached)}\n"
        )


def _word(reached: bool) -> str:  # noqa: FBT001 - one word for it
    return "reached" if reached else "MISSED"


def memory(findings: int) -> None:
    """Print what our writers take above the loaded input, at a size and at ten times that size."""
    print(f"{'MB above the loaded input':32}{findings:>12,}{10 * findings:>12,}")
    for name in dict.fromkeys(pair.ours for pair in PAIRS):
        few, many = (in_own_process(name, count)["above_mb"] for count in (findings, 10 * findings))
        print(f"{name:32}{few:>12.1f}{many:>12.1f}")


def main() -> None:
    """Run the benchmark, or with `--only` one piece of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="only memory, at ten times the size too")
    parser.add_argument("--only", choices=sorted(WORKS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.findings)))
    elif options.memory:
        memory(options.findings)
    else:
        report(options.findings, options.runs)


if __name__ == "__main__":
    main()
