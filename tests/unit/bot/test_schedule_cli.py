"""`countersign schedule …`: the words of `/schedule`, at a shell."""

import json
from pathlib import Path

from tests.shell import countersign

CISO = "ciso@northwind.example"


def listed(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(countersign(folder, "schedule", "list", "--json").stdout)
    return found


def test_a_schedule_from_made_to_removed(tmp_path: Path) -> None:
    assert countersign(tmp_path, "db", "upgrade").returncode == 0
    assert "Nothing is scheduled" in countersign(tmp_path, "schedule", "list").stdout
    words = ("daily", "09:00", "Europe/Berlin", "#C0SECURITY", CISO, "pdf")
    made = countersign(tmp_path, "schedule", *words)
    assert made.returncode == 0, made.stderr
    assert made.stdout.count(" UTC\n") == 3
    (entry,) = listed(tmp_path)
    assert (entry["cron"], entry["time_zone"], entry["format"]) == ("0 9 * * *", "Europe/Berlin", "pdf")
    assert (entry["channel"], entry["recipients"], entry["active"]) == ("C0SECURITY", [CISO], True)
    name = str(entry["schedule_id"])
    assert countersign(tmp_path, "schedule", "pause", name).returncode == 0
    assert listed(tmp_path)[0]["active"] is False
    assert countersign(tmp_path, "schedule", "resume", name).returncode == 0
    assert countersign(tmp_path, "schedule", "run", name).returncode == 0
    assert "waiting" in countersign(tmp_path, "schedule", "list").stdout
    assert countersign(tmp_path, "schedule", "remove", name).returncode == 0
    assert listed(tmp_path) == []

    for words, says in (
        (("daily", "09:00"), "where it goes"),
        (("weekly", "someday", "09:00", CISO), "no weekday"),
        (("cron", "0 9 * *", CISO), "five fields"),
        (("pause", "s-none"), "no schedule s-none"),
    ):
        refused = countersign(tmp_path, "schedule", *words)
        assert refused.returncode == 1
        assert says in refused.stderr
    assert listed(tmp_path) == []
