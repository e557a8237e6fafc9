"""Digests and the pages about schedules: as on file, and within Slack's limits whatever they say."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.findings import Severity
from exporters.cadence import Cadence
from exporters.schedules import Fire, FireState, Schedule, fire_of
from handlers.blocks.digest import Digest, Earlier, build_digest
from handlers.blocks.lists import Fixable
from handlers.schedule_pages import build_schedule_list, build_scheduled
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden, to_checked
from tests.unit.handlers.test_lists import OTHER, a_header

NINE = Cadence.daily(9, zone="Europe/Berlin")
SCHEDULE = Schedule(
    schedule_id="s-1a2b3c",
    cadence=NINE,
    owner=cards.ANA,
    created_at=cards.AT,
    watermark=cards.AT,
    next_at=NINE.next_after(cards.AT).at,
    channel="C0SECURITY",
    recipients=("ciso@northwind.example",),
    format="pdf",
)


def scored(score: float | None) -> object:
    header = a_header()
    return replace(header, summary={**header.summary, "security_score": score})


def a_digest(**changes: object) -> Digest:
    digest = Digest(
        schedule_id="s-1a2b3c",
        when=NINE.describe(),
        report=scored(71.5),  # type: ignore[arg-type]
        open={Severity.CRITICAL: 1, Severity.HIGH: 12},
        earlier=Earlier(scored(68.0), cards.AT - timedelta(days=1)),  # type: ignore[arg-type]
        since=cards.AT - timedelta(days=1),
        fixes=[Fixable(cards.FINDING, "AWS-PUBLIC-S3"), Fixable(OTHER, "AWS-MFA")],
        pending=[cards.pending()],
        urgent=[
            ("new", cards.FINDING),
            ("came back", replace(cards.FINDING, id="2", title="<!channel> & more")),
        ],
        urgent_count=2,
        pending_count=1,
        overdue=4,
    )
    return replace(digest, **changes)  # type: ignore[arg-type]


def a_fire(**changes: object) -> Fire:
    fire = fire_of(SCHEDULE, NINE.next_after(cards.AT), missed=0, now=cards.AT)
    return replace(fire, **changes)  # type: ignore[arg-type]


def test_fixes_by_one_playbook_can_be_planned_together() -> None:
    second = replace(cards.FINDING, id="2", resource="arn:aws:s3:::northwind-press")
    fixes = [
        Fixable(cards.FINDING, "AWS-PUBLIC-S3"),
        Fixable(second, "AWS-PUBLIC-S3"),
        Fixable(OTHER, "AWS-MFA"),
    ]
    blocks = to_checked(build_digest(a_digest(fixes=fixes)))["blocks"]
    (together,) = [block for block in blocks if block.get("block_id") == "together-0"]
    (button,) = together["elements"]
    assert button["value"] == f"AWS-PUBLIC-S3 {cards.FINDING.handle} {second.handle}"
    assert button["action_id"] == "plan_fix"


def test_two_playbooks_with_several_fixes_each_have_a_row_each() -> None:
    fixes = [
        Fixable(replace(cards.FINDING, id=str(number), resource=f"arn:{number}"), playbook)
        for number, playbook in enumerate(["AWS-PUBLIC-S3", "AWS-MFA"] * 2)
    ]
    blocks = to_checked(build_digest(a_digest(fixes=fixes)))["blocks"]
    rows = [block for block in blocks if str(block.get("block_id")).startswith("together")]
    assert [row["block_id"] for row in rows] == ["together-0", "together-1"]
    said = [[button["text"]["text"] for button in row["elements"]] for row in rows]
    assert said == [["Plan 2 with AWS-PUBLIC-S3"], ["Plan 2 with AWS-MFA"]]


def test_digest() -> None:
    check_golden("digest", build_digest(a_digest()))


def test_a_digest_counts_all_and_lists_the_first() -> None:
    full = a_digest(
        pending=[cards.pending()] * 10,
        pending_count=1037,
        urgent=[("new", cards.FINDING)] * 10,
        urgent_count=64,
    )
    said = str(to_checked(build_digest(full)))
    for words in ("approval*\\n1,037", "criticals*\\n64", "… and 1,027 more", "… and 54 more"):
        assert words in said


def test_digest_after_a_time_away() -> None:
    check_golden(
        "digest_missed",
        build_digest(a_digest(missed=3, due_at=cards.AT, urgent=None, pending=[], pending_count=0)),
    )


def test_quiet_digest() -> None:
    quiet = a_digest(
        fixes=[],
        pending=[],
        pending_count=0,
        urgent=[],
        urgent_count=0,
        overdue=0,
        open={},
        earlier=None,
        report=scored(None),
    )
    check_golden("digest_quiet", build_digest(quiet))


def test_schedule_list() -> None:
    paused = replace(SCHEDULE, schedule_id="s-2", paused_because="3 in a row were not sent: <no> channel")
    fires = [a_fire(state=FireState.SENT), a_fire(state=FireState.FAILED, error="I am not in this channel.")]
    page = cards.a_page_of([SCHEDULE, paused, SCHEDULE])
    check_golden("schedule_list", build_schedule_list(page, [*fires, None]))


@pytest.mark.parametrize("state", FireState)
def test_the_list_has_a_word_for_each_way_a_sending_can_go(state: FireState) -> None:
    page = cards.a_page_of([SCHEDULE])
    said = str(to_checked(build_schedule_list(page, [a_fire(state=state, error="why")])))
    assert {
        FireState.WAITING: "to be tried again: why",
        FireState.SENT: ", sent: why",
        FireState.FAILED: "not sent: why",
        FireState.OVERTAKEN: "not sent: why",
    }[state] in said


def test_a_schedule_that_was_made() -> None:
    check_golden("scheduled", build_scheduled(SCHEDULE, NINE.upcoming(cards.AT), lead="Scheduled:"))


def test_a_score_is_compared_in_words() -> None:
    for before, says in (
        (71.5, "as in the digest of <!date^"),
        (80.0, "▼ down 8.5 from 80 in the digest of"),
    ):
        words = str(build_digest(a_digest(earlier=Earlier(scored(before), cards.AT))).to_dict())  # type: ignore[arg-type]
        assert says in words
    assert "71.5 of 100'" in str(build_digest(a_digest(earlier=Earlier(scored(None)))).to_dict())  # type: ignore[arg-type]


def test_without_an_earlier_digest_the_score_is_compared_with_the_report_before() -> None:
    words = str(build_digest(a_digest(earlier=Earlier(scored(68.0)))).to_dict())  # type: ignore[arg-type]
    assert "▲ up 3.5 from 68 in the report of <!date^" in words


def test_it_names_the_account_and_counts_what_was_asked_for() -> None:
    words = str(to_checked(build_digest(a_digest(account="123456789012", asked_for=3))))
    assert "Security digest, account 123456789012" in words
    assert "3 that are as bad were asked for already." in words


@settings(max_examples=share(60))
@given(text=st.text(max_size=5000), many=st.integers(0, 60), severity=st.sampled_from(Severity))
def test_whatever_a_digest_says_slack_takes_it(text: str, many: int, severity: Severity) -> None:
    finding = replace(cards.FINDING, title=text or "x", resource=text, severity=severity)
    pending = [replace(cards.pending(), finding=finding, expires_at=cards.AT + timedelta(hours=1))] * min(
        many, 10
    )
    digest = a_digest(
        urgent=[("new", finding)] * many,
        urgent_count=many * 1000,
        pending=pending,
        pending_count=many * 1000,
        fixes=[Fixable(finding, "AWS-PUBLIC-S3")] * min(many, 5),
        report=replace(a_header(), name=text or "x"),
        missed=many,
    )
    sent = str(to_checked(build_digest(digest)))
    assert "<!channel>" not in sent
    assert "<!here>" not in sent


@settings(max_examples=share(40))
@given(text=st.text(max_size=3000), many=st.integers(1, 10))
def test_whatever_a_list_says_slack_takes_it(text: str, many: int) -> None:
    schedule = replace(SCHEDULE, paused_because=text, recipients=tuple(["a@northwind.example"] * 40))
    page = cards.a_page_of([schedule] * many, has_more=True, offset=10)
    to_checked(build_schedule_list(page, [a_fire(error=text)] * many))
