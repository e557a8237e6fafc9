"""Found → reported → approved → fixed → proven → put back, on the real bot."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenario.conftest import CHANNEL, Stage

pytestmark = pytest.mark.process
ALL_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
ABSENT = "NoSuchPublicAccessBlockConfiguration"


def test_a_report_is_listed_and_exported(stage: Stage) -> None:
    stage.slack.command(user="ana", channel=CHANNEL, text="/report list")
    stage.wait_private("ana", "demo_report")
    known = len(stage.slack.files())
    demo = next(
        r for r in json.loads(stage.countersign("report", "list", "--json").stdout) if "demo" in r["name"]
    )
    stage.slack.command(user="ana", channel=CHANNEL, text=f"/report export html {demo['report_id']}")
    file = stage.wait(lambda: (stage.slack.files()[known:] or [None])[0])
    page = stage.slack.file_content(file.id).decode()
    assert file.name.endswith(".html")
    assert "northwind-customer-exports" in page
    shared = stage.wait(lambda: next((m for m in stage.slack.messages(CHANNEL) if file.id in m.files), None))
    assert shared.channel == stage.slack.channel_id(CHANNEL)


def test_the_whole_road(stage: Stage) -> None:
    finding = stage.make_finding()
    card = stage.ask(finding)
    for word in (
        finding.handle,
        "123456789012",
        "us-east-1",
        "Critical",
        "not set",
        "BlockPublicAcls",
        "<@U0ANA>",
        "By the rule for: critical (policy.rules.0)",
    ):
        assert word in card.words, card.words
    assert "<!channel>" not in card.words
    assert stage.block(finding) == ABSENT

    stage.slack.click("ana", card, "approve")
    stage.wait_private("ana", "somebody else")
    stage.slack.click("otto", card, "approve")
    stage.wait_private("otto", "not among the approvers", "<!subteam^S0SEC>")
    assert stage.block(finding) == ABSENT

    stage.slack.click("omar", card, "approve")
    done = stage.wait_card(card, "<@U0OMAR>", "Roll back")
    assert stage.block(finding) == ALL_ON
    assert "approve" not in done.action_ids
    progress = stage.wait(lambda: stage.slack.thread(CHANNEL, card.ts)[1:])
    assert len(progress) == 1

    stage.slack.click("otto", done, "rollback")
    stage.wait_private("otto", "not among the approvers")
    stage.slack.click("omar", done, "rollback")
    rolled = stage.wait_card(card, "Rolled back")
    assert stage.block(finding) == ABSENT
    assert rolled.action_ids == ()
    assert len(stage.slack.thread(CHANNEL, card.ts)[1:]) == 1

    verified = stage.countersign("trail", "verify")
    assert verified.returncode == 0, verified.stderr


def test_drift_runs_nothing_and_shows_a_new_card(stage: Stage) -> None:
    finding = stage.make_finding()
    card = stage.ask(finding)
    bucket = finding.resource.rpartition(":")[2]
    half = dict.fromkeys(ALL_ON, False) | {"BlockPublicAcls": True}
    stage.cloud.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=half)
    stage.slack.click("omar", card, "approve")
    newer = stage.wait(lambda: stage.card_of(finding, beyond={card.ts}))
    assert stage.block(finding) == half
    assert "approve" in newer.action_ids
    stage.wait_card(card, "newer card")
    stage.slack.click("omar", newer, "approve")
    done = stage.wait_card(newer, "Roll back")
    assert stage.block(finding) == ALL_ON
    stage.slack.click("omar", done, "rollback")
    stage.wait_card(newer, "Rolled back")
    assert stage.block(finding) == half


def test_rejection_asks_for_a_reason(stage: Stage) -> None:
    finding = stage.make_finding()
    card = stage.ask(finding)
    stage.slack.click("omar", card, "reject")
    view = stage.wait(lambda: stage.slack.views("omar"))[-1]
    refused = stage.slack.submit_view("omar", view, {"reason": " x "})
    assert refused.errors
    assert stage.slack.submit_view("omar", view, {"reason": "Needed until Friday & beyond"}).accepted
    rejected = stage.wait_card(card, "Needed until Friday &amp; beyond", "<@U0OMAR>")
    assert rejected.action_ids == ()
    assert stage.block(finding) == ABSENT
    assert "Rejected" in rejected.words


def test_wrong_words_get_a_private_hint(stage: Stage) -> None:
    stage.slack.command(user="ana", channel=CHANNEL, text="/report exprot html")
    stage.wait_private("ana", "export")
    stage.slack.command(user="ana", channel=CHANNEL, text="/playbook run AWS-PUBLC-S3 f-00000000")
    stage.wait_private("ana", "AWS-PUBLIC-S3")
    stage.slack.command(user="ana", channel=CHANNEL, text="/report export docx")
    stage.wait_private("ana", "html")
    assert "Traceback" not in stage.log


def test_forty_clicks_by_two_approvers_cause_one_run(http_stage: Stage) -> None:
    finding = http_stage.make_finding()
    card = http_stage.ask(finding)
    with ThreadPoolExecutor(40) as pool:
        people = ["omar", "priya"] * 20
        acks = list(pool.map(lambda user: http_stage.slack.click(user, card, "approve"), people))
    assert all(ack.ok for ack in acks)
    http_stage.wait_card(card, "Roll back")
    events = [
        line for line in http_stage.countersign("trail", "export").stdout.splitlines() if finding.id in line
    ]
    for kind in ("execution.approved", "execution.started", "action.started", "action.completed"):
        assert sum(f'"{kind}"' in line for line in events) == 1, kind
    assert http_stage.block(finding) == ALL_ON


def test_a_file_dropped_into_the_channel_becomes_a_report(stage: Stage) -> None:
    findings = [{"id": "drop-1", "title": "Dropped", "severity": "LOW"}]
    content = json.dumps({"findings": findings}).encode()
    message = stage.slack.share("ana", CHANNEL, name="dropped.json", content=content)
    assert stage.slack.shortcut("otto", "import_report", message).ok
    stage.wait_private("otto", "1 findings from dropped.json")
    listed = json.loads(stage.countersign("report", "list", "--json").stdout)
    assert [report["name"] for report in listed].count("dropped.json") == 1
    assert stage.slack.shortcut("otto", "import_report", message).ok
    stage.wait_private("otto", "nothing changed")
    assert "xoxb-stand-in" not in stage.log
