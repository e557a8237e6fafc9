"""How fast a Prowler report goes into the database, beside `orjson.loads` over the same bytes.

python bench/ingest_bench.py [--findings 20000] [--approvals]      100000 makes a file of 560 MB

`--approvals` also clicks meanwhile, and times the decisions (`meanwhile.py`).
Each side runs in a process of its own; peak memory is the process's own high-water mark. `--keep FOLDER` leaves file and database.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import orjson

from bench import synthetic

GOAL_PER_S = 10_000
GOAL_MB = 300
_FILE = "prowler.ocsf.json"
_TEXT = 1_080
"""Where texts are cut, so that a finding has 5.6 kB: OCSF wraps a good kilobyte around what the other benchmarks measure."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=20_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=SIDES)
    parser.add_argument("--path", type=Path)
    parser.add_argument("--into")
    parser.add_argument("--approvals", action="store_true")
    chosen = parser.parse_args()
    if chosen.into:
        from bench.meanwhile import take_in

        take_in(chosen.path, chosen.into)
        return
    if chosen.only:
        print(json.dumps(SIDES[chosen.only](chosen.path)))
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = chosen.keep or Path(folder)
        compare(kept, chosen.findings)
        if chosen.approvals:
            from bench.meanwhile import measure

            measure(kept / _FILE)


def compare(folder: Path, count: int) -> None:
    """Write the file, measure both sides, print what each took."""
    path = folder / _FILE
    size = write(path, count)
    print(f"{count:,} findings, {size / 1e6:,.0f} MB, {size / count:,.0f} bytes each")
    parsed, stored = child("loads", path), child("ingest", path)
    if stored["findings"] != count:
        sys.exit(f"stored {stored['findings']:,} findings instead of {count:,}")
    rate, peak_mb = count / stored["wall"], stored["peak_mb"] + stored["reader_peak_mb"]
    print(f"orjson.loads, whole  {count / parsed['wall']:>9,.0f} findings/s  {parsed['peak_mb']:>6,.0f} MB")
    print(
        f"into SQLite          {rate:>9,.0f} findings/s  {peak_mb:>6,.0f} MB  "
        f"(cpu {stored['cpu']:.1f} s, and {stored['reader_cpu']:.1f} s of the reading process, {stored['reader_peak_mb']:.0f} of the MB)"
    )
    print(f"ratio                {parsed['wall'] / stored['wall']:>9.2f}x")
    verdict = "reached" if rate >= GOAL_PER_S and peak_mb <= GOAL_MB else "MISSED"
    print(f"goal {GOAL_PER_S:,} findings/s within {GOAL_MB} MB: {verdict}")


def child(side: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", side, "--path", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ})  # noqa: S603
    return json.loads(done.stdout)


def loads(path: Path) -> dict[str, float]:
    content = path.read_bytes()
    before, cpu = time.perf_counter(), time.process_time()
    count = len(orjson.loads(content))
    return result(count, before, cpu)


def ingest(path: Path) -> dict[str, float]:
    from audit.actor import Actor
    from bot.reading_apart import open_apart
    from storage import Stores, open_engine, upgrade

    database = path.with_name(f"bench-{os.getpid()}.db")
    url = f"sqlite:///{database}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    stores = Stores.open(url)
    before, cpu = time.perf_counter(), time.process_time()
    with path.open("rb") as stream, open_apart(stream, path.name) as members:
        reading = next(members).open()
        done = stores.reports.ingest(reading, actor=Actor(origin="cli"), now=synthetic.NOW)
    measured = result(done.header.summary["total_findings"], before, cpu)
    stores.close()
    return measured


def result(count: int, before: float, cpu: float) -> dict[str, float]:
    wall = time.perf_counter() - before
    reader = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "findings": count,
        "wall": wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "reader_cpu": reader.ru_utime + reader.ru_stime,
        "reader_peak_mb": reader.ru_maxrss / 1024,
    }


SIDES = {"loads": loads, "ingest": ingest}


def write(path: Path, count: int) -> int:
    """Write a list of Prowler's OCSF, an object a line; return its size."""
    with path.open("wb") as out:
        separator = b"[\n"
        for event in map(event_of, synthetic.findings(count)):
            out.write(separator + orjson.dumps(event))
            separator = b",\n"
        out.write(b"\n]\n")
        return out.tell()


def event_of(record) -> dict[str, object]:  # noqa: ANN001 - a finding's dictionary
    """Return the finding the way Prowler 5 writes one."""
    return {
        "message": record["evidence"],
        "metadata": {
            "event_code": record["check_id"],
            "product": {"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.46.0"},
            "profiles": ["cloud", "datetime"],
            "tenant_uid": "",
            "version": "1.5.0",
        },
        "severity_id": {"CRITICAL": 5, "HIGH": 4, "MEDIUM": 3, "LOW": 2, "INFO": 1}[record["severity"]],
        "severity": record["severity"].title(),
        "status": "New",
        "status_code": record["status"],
        "status_detail": record["evidence"],
        "status_id": 1,
        "unmapped": {
            "related_url": "",
            "categories": [],
            "depends_on": [],
            "related_to": [],
            "notes": "",
            "compliance": record["compliance"],
        },
        "activity_name": "Create",
        "activity_id": 1,
        "finding_info": {
            "created_time": 1795509000,
            "created_time_dt": "2026-11-24T08:30:00+00:00",
            "desc": record["description"][:_TEXT],
            "title": record["title"],
            "types": ["Software and Configuration Checks"],
            "uid": record["id"],
        },
        "resources": [
            {
                "cloud_partition": "aws",
                "region": record["region"],
                "data": {
                    "details": "",
                    "metadata": {"arn": record["resource"], "name": record["id"], "tags": {}},
                },
                "group": {"name": record["service"]},
                "labels": [],
                "name": record["resource"].rpartition(":")[2],
                "type": record["resource_type"],
                "uid": record["resource"],
            }
        ],
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": 2004,
        "cloud": {
            "account": {
                "name": "",
                "type": "AWS Account",
                "type_id": 10,
                "uid": record["account_id"],
                "labels": [],
            },
            "org": {"name": "", "uid": ""},
            "provider": "aws",
            "region": record["region"],
        },
        "remediation": {"desc": record["remediation"][:_TEXT], "references": [record["reference_url"]]},
        "risk_details": "",
        "time": 1795509000,
        "time_dt": "2026-11-24T08:30:00+00:00",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
    }


if __name__ == "__main__":
    main()
