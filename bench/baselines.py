"""The plainest code that does the same work: what our writers are held against."""

import csv
from collections.abc import Iterable
from io import TextIOWrapper
from typing import BinaryIO

import orjson
from jinja2 import Environment

from audit.findings import FINDING_FIELDS, FindingDict
from exporters.csv_columns import SPECIFIED
from exporters.source import ReportSource

ALL_FIELDS = (*SPECIFIED, *(name for name in FINDING_FIELDS if name not in SPECIFIED))
SHOWN_FIELDS = (
    *("id", "title", "severity", "category", "resource", "account_id", "region", "evidence", "description"),
    *("remediation", "status"),
)
"""What a findings table needs at the least."""

PAGE_FIELDS = (*SHOWN_FIELDS, "check_id", "service", "resource_type", "reference_url")
"""What our page shows of a finding, less the controls."""


def orjson_lines(source: ReportSource, out: BinaryIO) -> None:
    """Write a line per finding."""
    for record in source.records():
        out.write(orjson.dumps(record))
        out.write(b"\n")


def csv_rows(source: ReportSource, out: BinaryIO, fields: tuple[str, ...]) -> None:
    """Write a row per finding with the C writer, unguarded. Texts go in as they are, compliance joined once per mapping."""
    text = TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(fields)
    writer.writerows(_rows(source.records(), fields))
    text.detach()


def _rows(records: Iterable[FindingDict], fields: tuple[str, ...]) -> Iterable[Iterable[object]]:
    """Yield rows ready to write; controls are joined once per mapping, so that this is not charged for the joining."""
    joined: dict[int, str] = {}
    for record in records:
        row = [record.get(field, "") for field in fields]
        if fields[-1] == "compliance":
            controls = record.get("compliance", {})
            if id(controls) not in joined:
                joined[id(controls)] = "; ".join(f"{name}: {', '.join(of)}" for name, of in controls.items())
            row[-1] = joined[id(controls)]
        yield row


def jinja_rows(source: ReportSource, out: BinaryIO, fields: tuple[str, ...]) -> None:
    """Stream the smallest template that shows these fields of every finding, escaped."""
    row = "".join(f"<td>{{{{ f.{field} }}}}</td>" for field in fields)
    text = (
        "<!doctype html><title>Findings</title><table>\n"
        f"{{% for f in findings %}}<tr>{row}</tr>\n{{% endfor %}}</table>\n"
    )
    page = Environment(autoescape=True).from_string(text).stream(findings=source.records())
    page.enable_buffering(50)
    out.writelines(piece.encode() for piece in page)
