"""What is protected stays as it is, whoever signs: in every plan, at the signature, and again right before the run."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.errors import RefusedError
from audit.findings import Finding
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.plan import Target
from remediation.policy import Policy
from remediation.protection import ChangeWindow, Freeze, Protection
from remediation.rollbacks import Rollbacks
from remediation.runner import Runner
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, POLICY, PRIYA, START, Bench, door_finding, door_playbook

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri"})
DAY = ChangeWindow(days=WEEKDAYS, start=time(9), end=time(16), zone=UTC_ZONE)
NIGHT = ChangeWindow(days=frozenset({"fri"}), start=time(22), end=time(4), zone=UTC_ZONE)
NEVER = ChangeWindow(days=frozenset({"sun"}), start=time(3), end=time(3, 1), zone=UTC_ZONE)
DOOR = Target(provider="board", resource="board/door")


def utc(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(24, 8, 59), False),
        (utc(24, 9), True),
        (utc(24, 15, 59), True),
        (utc(24, 16), False),
        (utc(28, 12), False),  # a Saturday
    ],
)
def test_a_window_holds_its_start_and_not_its_end(at: datetime, expected: bool) -> None:
    assert DAY.holds(at) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(27, 21, 59), False),
        (utc(27, 22), True),  # Friday evening
        (utc(28, 0), True),  # its night is Saturday by then
        (utc(28, 3, 59), True),
        (utc(28, 4), False),
        (utc(28, 23), False),  # Saturday evening is none of its own
        (utc(27, 3), False),  # nor is the night from Thursday
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_began(at: datetime, expected: bool) -> None:
    assert NIGHT.holds(at) is expected


def test_a_window_past_midnight_on_sunday_goes_into_monday() -> None:
    window = replace(NIGHT, days=frozenset({"sun"}))
    assert window.holds(utc(30, 3))
    assert not window.holds(utc(24, 3))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(27, 8, month=3), True),  # 09:00 in Berlin's winter
        (utc(27, 7, 59, month=3), False),
        (utc(30, 7, month=3), True),  # 09:00 in its summer, from the 29th on
        (utc(30, 14, month=3), False),
        (utc(23, 7, month=10), True),  # summer still
        (utc(26, 7, month=10), False),  # winter from the 25th on
        (utc(26, 8, month=10), True),
    ],
)
def test_a_window_keeps_local_time_when_the_clocks_change(at: datetime, expected: bool) -> None:
    assert replace(DAY, zone=BERLIN).holds(at) is expected


def test_an_hour_that_comes_twice_counts_twice_and_one_that_never_comes_not_at_all() -> None:
    early = ChangeWindow(days=frozenset({"sun"}), start=time(2), end=time(3), zone=BERLIN)
    assert early.holds(utc(25, 0, 30, month=10))
    assert early.holds(utc(25, 1, 30, month=10))
    assert not any(early.holds(utc(29, 0, month=3) + timedelta(minutes=step)) for step in range(0, 180, 5))


def test_a_freeze_holds_whole_days_of_its_own_calendar() -> None:
    freeze = Freeze(first=date(2026, 12, 20), last=date(2027, 1, 3), zone=BERLIN)
    assert freeze.holds(datetime(2026, 12, 19, 23, tzinfo=UTC))  # midnight in Berlin
    assert not freeze.holds(datetime(2026, 12, 19, 22, 59, tzinfo=UTC))
    assert freeze.holds(datetime(2027, 1, 3, 22, 59, tzinfo=UTC))
    assert not freeze.holds(datetime(2027, 1, 3, 23, tzinfo=UTC))


FROZEN = Freeze(first=START.date(), last=START.date(), zone=UTC_ZONE)


def test_a_freeze_outweighs_a_window() -> None:
    with pytest.raises(RefusedError, match=r"until 2026-11-24 is over: `protection.freezes`"):
        Protection(windows=(DAY,), freezes=(FROZEN,)).refuse_time(START)


def test_any_one_window_is_enough() -> None:
    Protection(windows=(NEVER, DAY)).refuse_time(START)
    with pytest.raises(RefusedError, match="Changes may run Sun 03:00-03:01 UTC; Fri 22:00-04:00 UTC only"):
        Protection(windows=(NEVER, NIGHT)).refuse_time(START)


def test_without_a_calendar_any_hour_will_do() -> None:
    Protection().refuse_time(START)


@pytest.mark.parametrize("pattern", ["board/door", "BOARD/*", "board/do?r", "*door*"])
def test_a_protected_resource_is_named_with_its_rule(pattern: str) -> None:
    with pytest.raises(RefusedError, match="board/door is protected: `protection.resources` names"):
        Protection(resources=(pattern,)).refuse_target(DOOR)


@pytest.mark.parametrize("pattern", ["board/doo", "board/doors", "board", "board/[a-d]oor"])
def test_another_resource_is_not(pattern: str) -> None:
    Protection(resources=(pattern,)).refuse_target(DOOR)


def test_a_bracket_in_a_pattern_is_a_bracket() -> None:
    with pytest.raises(RefusedError):
        Protection(resources=("shelf[1]",)).refuse_resource("shelf[1]")


def test_only_named_accounts_are_acted_in_and_an_unknown_one_is_none_of_them() -> None:
    rules = Protection(accounts=frozenset({"111111111111"}))
    rules.refuse_account("111111111111")
    for account, named in (("222222222222", "222222222222"), ("", "an unknown account")):
        with pytest.raises(RefusedError, match=f"Nothing is changed in {named}"):
            rules.refuse_account(account)
    with pytest.raises(RefusedError):
        Protection(accounts=frozenset()).refuse_account("111111111111")
    Protection().refuse_account("")


@pytest.mark.parametrize(
    "pattern",
    [
        "countersign:protected=true",
        "Countersign:Protected=TRUE",
        "countersign:protected",
        "countersign:*=*",
        "countersign:protected=t?ue",
    ],
)
def test_a_protected_tag_is_named_with_its_rule(pattern: str) -> None:
    tags = {"owner": "ana", "countersign:protected": "true"}
    with pytest.raises(RefusedError, match="protected by its tag countersign:protected"):
        Protection(tags=(pattern,)).refuse_tags("board/door", tags)


@pytest.mark.parametrize("tags", [{}, {"countersign:protected": "false"}, {"protected": "true"}])
def test_other_tags_are_not(tags: dict[str, str]) -> None:
    Protection(tags=("countersign:protected=true",)).refuse_tags("board/door", tags)


def test_a_value_may_hold_an_equals_sign() -> None:
    with pytest.raises(RefusedError):
        Protection(tags=("key=a=b",)).refuse_tags("board/door", {"key": "a=b"})


def test_tags_that_nobody_could_read_count_as_protected_where_any_tag_is() -> None:
    with pytest.raises(RefusedError, match="could not be read, so nobody can tell"):
        Protection(tags=("a=b",)).refuse_tags("board/door", None)
    Protection().refuse_tags("board/door", None)


def test_too_many_resources_are_refused_with_both_numbers() -> None:
    targets = [replace(DOOR, resource=f"board/{number}") for number in range(3)]
    Protection().refuse_crowd([*targets, *targets], most=3)
    with pytest.raises(RefusedError, match="change 3 resources; the playbook's `max_targets` allows 2"):
        Protection().refuse_crowd(targets, most=2)
    with pytest.raises(RefusedError, match="`protection.max_targets` allows 1"):
        Protection(max_targets=1).refuse_crowd(targets, most=10)
    with pytest.raises(RefusedError, match="the playbook's `max_targets` allows 2"):
        Protection(max_targets=5).refuse_crowd(targets, most=2)


def test_the_same_id_in_two_accounts_is_two_resources() -> None:
    twins = [replace(DOOR, account_id="1"), replace(DOOR, account_id="2")]
    with pytest.raises(RefusedError, match="change 2 resources"):
        Protection().refuse_crowd(twins, most=1)


EACH_RULE = [
    Protection(resources=("a",)),
    Protection(tags=("a=b",)),
    Protection(accounts=frozenset()),
    Protection(accounts=frozenset({"1"})),
    Protection(windows=(DAY,)),
    Protection(windows=(NIGHT,)),
    Protection(windows=(replace(DAY, zone=BERLIN),)),
    Protection(freezes=(FROZEN,)),
    Protection(freezes=(replace(FROZEN, zone=BERLIN),)),
    Protection(max_targets=3),
]


def test_the_policys_digest_covers_every_rule() -> None:
    digests = {replace(POLICY, protection=rule).digest for rule in [Protection(), *EACH_RULE]}
    assert len(digests) == len(EACH_RULE) + 1


def bench(protection: Protection) -> Bench:
    return Bench(MemoryExecutions(), policy=replace(POLICY, protection=protection))


def under(rules: Protection, before: Bench) -> Bench:
    """Return the same store and board under other rules, as after a restart."""
    policy: Policy = replace(POLICY, protection=rules)
    return Bench(before.store, policy=policy, board=before.board, now=before.now)


def ask(bench: Bench, finding: Finding | None = None) -> PlaybookExecution:
    return bench.remediation.request(door_playbook(), finding or door_finding(), ANA)


@pytest.mark.parametrize(
    "rules",
    [
        Protection(resources=("board/*",)),
        Protection(accounts=frozenset({"1"})),
        Protection(tags=("a=b",)),  # a switch has no tags that anybody could read
    ],
)
def test_at_the_request_what_is_protected_is_refused_and_nothing_is_stored(rules: Protection) -> None:
    asked = bench(rules)
    with pytest.raises(RefusedError):
        ask(asked)
    assert asked.store.history() == []
    assert asked.board.switches == {"door": "open"}


@pytest.mark.parametrize("rules", [Protection(windows=(NEVER,)), Protection(freezes=(FROZEN,))])
def test_at_the_signature_the_calendar_is_looked_at(rules: Protection) -> None:
    asked = bench(rules)
    execution = ask(asked)
    with pytest.raises(RefusedError):
        asked.remediation.approve(execution.execution_id, OMAR)
    assert asked.store.get(execution.execution_id).decisions == ()


def test_the_policys_own_signature_keeps_to_the_calendar_too() -> None:
    policy = replace(POLICY, protection=Protection(freezes=(FROZEN,)), unattended_playbooks=None)
    asked = Bench(MemoryExecutions(), policy=policy)
    book = door_playbook()
    book.requires_approval = False
    execution = asked.remediation.request(book, door_finding(), ANA)
    with pytest.raises(RefusedError, match="freezes"):
        asked.remediation.approve_by_policy(execution)


@pytest.mark.parametrize(
    "rules",
    [
        Protection(resources=("board/*",)),
        Protection(accounts=frozenset({"1"})),
        Protection(tags=("a=b",)),
        Protection(windows=(NEVER,)),
        Protection(freezes=(FROZEN,)),
    ],
)
def test_right_before_the_run_all_of_it_is_looked_at_again(rules: Protection) -> None:
    first = bench(Protection())
    execution = ask(first)
    first.remediation.approve(execution.execution_id, OMAR)
    ran = under(rules, first).runner.run(execution.execution_id)
    assert ran.status is PlaybookStatus.FAILED
    assert "protection" in str(ran.error) or "Changes may run" in str(ran.error)
    assert first.board.switches == {"door": "open"}


def test_a_signature_under_looser_rules_is_void_under_stricter_ones() -> None:
    first = bench(Protection())
    execution = ask(first)
    first.remediation.approve(execution.execution_id, OMAR)
    ran = under(Protection(max_targets=5), first).runner.run(execution.execution_id)
    assert ran.status is PlaybookStatus.PENDING
    assert [change.setting for change in ran.drift] == ["Approval rules"]


@pytest.mark.parametrize("calendar", [Protection(freezes=(FROZEN,)), Protection(windows=(NEVER,))])
def test_a_rollback_is_not_held_up_by_the_calendar(calendar: Protection) -> None:
    first, execution = fixed()
    runner: Runner = under(calendar, first).runner
    assert runner.roll_back(execution.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert first.board.switches == {"door": "open"}


@pytest.mark.parametrize(
    "rules",
    [Protection(resources=("board/*",)), Protection(accounts=frozenset({"1"}))],
    ids=["resource", "account"],
)
def test_what_is_protected_by_now_is_not_put_back(rules: Protection) -> None:
    first, execution = fixed()
    stricter = under(rules, first)
    rollbacks = Rollbacks(stricter.remediation, stricter.runner)
    with pytest.raises(RefusedError, match="protection"):
        stricter.runner.roll_back(execution.execution_id, OMAR)
    with pytest.raises(RefusedError, match="protection"):
        rollbacks.preview(execution.execution_id)
    assert first.store.get(execution.execution_id).status is PlaybookStatus.COMPLETED
    assert first.board.switches == {"door": "closed"}


def test_a_rollback_that_waits_for_a_signature_is_void_once_it_is_protected() -> None:
    first, execution = fixed()
    two = Bench(first.store, policy=replace(POLICY, rollback_approvals=2), board=first.board)
    Rollbacks(two.remediation, two.runner).ask(execution.execution_id, OMAR)
    rules = replace(two.policy, protection=Protection(resources=("board/door",)))
    stricter = Bench(first.store, policy=rules, board=first.board)
    with pytest.raises(RefusedError, match="protection"):
        Rollbacks(stricter.remediation, stricter.runner).sign(execution.execution_id, PRIYA)
    assert first.store.get(execution.execution_id).rollback is None
    assert first.board.switches == {"door": "closed"}


def fixed() -> tuple[Bench, PlaybookExecution]:
    first = bench(Protection())
    execution = ask(first)
    first.remediation.approve(execution.execution_id, OMAR)
    return first, first.runner.run(execution.execution_id)


def test_the_card_says_what_was_checked_and_when_it_may_run() -> None:
    freezes = (
        Freeze(first=date(2026, 12, 20), last=date(2027, 1, 3), zone=BERLIN),
        Freeze(first=date(2026, 1, 1), last=date(2026, 1, 2), zone=BERLIN),  # over
    )
    rules = Protection(resources=("other",), accounts=frozenset({""}), windows=(DAY,), freezes=freezes)
    plan = ask(bench(rules)).plan
    assert plan is not None
    assert plan.actions[0].notes == (
        "Let through by `protection`: resources, accounts",
        "May run Mon, Tue, Wed, Thu, Fri 09:00-16:00 UTC only",
        "May not run from 2026-12-20 to 2027-01-03 Europe/Berlin",
    )


def test_without_rules_the_card_says_nothing_of_them() -> None:
    plan = ask(bench(Protection())).plan
    assert plan is not None
    assert plan.actions[0].notes == ()
