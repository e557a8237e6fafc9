"""How fast reports go into the database and out of it as JSON, beside `orjson` on the same findings in memory.

python bench/store_bench.py [--findings 50000]
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orjson

from audit.actor import Actor
from audit.ingest import read_report
from bench import synthetic
from exporters.json_writer import write_json
from exporters.service import open_report
from storage import Stores, open_engine, upgrade

GOAL_PER_S = 30_000


class Nowhere(io.RawIOBase):
    """Takes bytes and keeps none."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        return len(data)


def measure(folder: Path, count: int) -> None:
    """Ingest a native report, export it, and print what each took."""
    records = list(synthetic.findings(count))
    path = folder / "report.json"
    path.write_bytes(orjson.dumps({"findings": records}))
    url = f"sqlite:///{folder / 'bench.db'}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    stores = Stores.open(url)
    into = seconds(lambda: ingest(stores, path))
    out = min(
        seconds(lambda: write_json(open_report(stores.reports), Nowhere(), now=synthetic.NOW))
        for _ in range(3)
    )
    plain = min(seconds(lambda: [orjson.dumps(record) for record in records]) for _ in range(3))
    stores.close()
    print(f"into the database      {count / into:>10,.0f} findings/s")
    reached = "reached" if count / out >= GOAL_PER_S else "MISSED"
    print(f"out of it, as JSON     {count / out:>10,.0f} findings/s, goal {GOAL_PER_S:,}: {reached}")
    print(f"orjson from memory     {count / plain:>10,.0f} findings/s; ratio {plain / out:.2f}x")


def ingest(stores: Stores, path: Path) -> None:
    with path.open("rb") as stream:
        stores.reports.ingest(read_report(stream, path.name), actor=Actor(origin="cli"), now=synthetic.NOW)


def seconds(work) -> float:  # noqa: ANN001 - anything that can be called
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=50_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen.findings)


if __name__ == "__main__":
    main()
