"""The words in the picture of a trend: those that people know, none that its fonts cannot draw."""

import unicodedata

from audit.findings import Severity
from audit.lifecycle import TrendPoint
from exporters.trend_chart import caption
from tests.conftest import NOW


def point() -> TrendPoint:
    return TrendPoint(
        report_id="r-1",
        name="week",
        at=NOW,
        score=80.0,
        failing=dict.fromkeys(Severity, 1),
        mean_time_to_fix=None,
    )


def test_a_long_name_has_no_marks_in_it() -> None:
    said = caption([point(), point()], "northwind-production-week-48.ocsf.json")
    assert said == "northwind-production-week-48.ocsf.json, 2 reports up to 2026-11-24"


def test_a_name_without_end_is_cut_and_stays_on_one_line() -> None:
    said = caption([point()], "a\n\x1f" + "long name " * 100)
    assert len(said) < 110
    assert not any(unicodedata.category(letter) == "Cc" for letter in said)
