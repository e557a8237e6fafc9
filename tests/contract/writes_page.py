"""What `docs/writes.md` says about each write to a cloud, for the tests that hold it to that."""

import re
from pathlib import Path

ONCE, AGAIN = "once", "again"
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "writes.md"
_ROW = re.compile(r"^\| (aws|gcp|azure) \| `([^`]+)` \| (once|again) \| .+ \|$", re.MULTILINE)


def writes(cloud: str) -> dict[str, str]:
    """Return how often each write of a cloud is sent after a lost answer: `once`, or `again`."""
    return {call: how for of, call, how in _ROW.findall(_PAGE.read_text(encoding="utf-8")) if of == cloud}
