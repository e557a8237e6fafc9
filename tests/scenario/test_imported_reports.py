"""Reports that are dropped into Slack, followed from one to the next by the real bot: what is new, what came back, what people see of it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from audit.findings import Finding, FindingStatus, Severity
from tests.conftest import ACCOUNT
from tests.scenario.conftest import CHANNEL, Stage

pytestmark = [pytest.mark.process, pytest.mark.slow]


def a_finding(name: str, *, passes: bool = False) -> Finding:
    return Finding(
        id=f"scan-{name}",
        title=f"Bucket {name} is public",
        severity=Severity.CRITICAL,
        resource=f"arn:aws:s3:::{name}",
        check_id="s3_bucket_level_public_access_block",
        provider="aws",
        account_id=ACCOUNT,
        region="us-east-1",
        status=FindingStatus.PASS if passes else FindingStatus.FAIL,
    )


def drop(stage: Stage, name: str, *findings: Finding, days_old: int) -> None:
    """Share a report in the channel, have it taken in, and wait until that is said."""
    made = datetime.now(UTC) - timedelta(days=days_old)
    report = {
        "metadata": {"generated_at": made.isoformat()},
        "findings": [finding.to_dict() for finding in findings],
    }
    message = stage.slack.share("ana", CHANNEL, name=name, content=json.dumps(report).encode())
    assert stage.slack.shortcut("ana", "import_report", message).ok
    stage.wait_private("ana", f"{len(findings)} findings from {name}")


def test_what_came_back_is_seen_wherever_people_look(http_stage: Stage) -> None:
    drop(http_stage, "monday.json", a_finding("tidal"), a_finding("steady"), days_old=3)
    drop(http_stage, "tuesday.json", a_finding("tidal", passes=True), a_finding("steady"), days_old=2)
    assert http_stage.slack.open_home("omar").ok
    drop(
        http_stage,
        "today.json",
        a_finding("tidal"),
        a_finding("steady"),
        a_finding("fresh"),
        days_old=0,
    )

    found = http_stage.wait(lambda: _states(http_stage))
    assert found == {"tidal": "regressed", "steady": "open", "fresh": "new"}
    # The demo's own report has two critical findings, and belongs to another scanner: it closes nothing here.
    http_stage.wait(lambda: _home_says(http_stage, "omar", "today.json", "Critical 5"))
    http_stage.slack.command(user="omar", channel=CHANNEL, text="/report findings status:regressed")
    answer = http_stage.wait_private("omar", a_finding("tidal").handle)
    assert "Bucket steady" not in answer.words
    assert "Bucket fresh" not in answer.words

    http_stage.slack.command(user="ana", channel=CHANNEL, text="/schedule daily 09:00 Europe/Berlin csv")
    name = http_stage.wait_private("ana", "Scheduled:").words.split("`")[1]
    http_stage.slack.command(user="ana", channel=CHANNEL, text=f"/schedule run {name}")
    digest = http_stage.wait(
        lambda: next((m for m in http_stage.slack.messages(CHANNEL) if "Security digest" in m.words), None)
    )
    news, _, fixes = digest.words.partition("Fix first")
    assert "came back: Bucket tidal is public" in news
    assert "new: Bucket fresh is public" in news
    assert "Bucket steady" not in news
    assert "Bucket steady" in fixes


def _states(stage: Stage) -> dict[str, str] | None:
    """Return how the findings stand, by their buckets, once the newest report is worked in."""
    done = stage.countersign("report", "findings", "status:all", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    ours = (each for each in said["findings"] if each["id"].startswith("scan-"))
    states = {each["id"].removeprefix("scan-"): each["state"] for each in ours}
    return states if "fresh" in states else None


def _home_says(stage: Stage, user: str, *words: str) -> bool:
    view = stage.slack.home(user)
    text = json.dumps(view.payload, ensure_ascii=False) if view else ""
    return all(word in text for word in words)
