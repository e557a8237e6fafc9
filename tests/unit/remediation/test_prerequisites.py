"""Named checks are really looked at, with each plan; and so are the number of targets, their tags, and who keeps them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

import pytest

from audit.errors import InputError, RefusedError
from audit.findings import FindingStatus
from remediation.actions.contract import Draft, Params
from remediation.actions.manual import ByHand
from remediation.memory import MemoryExecutions
from remediation.ownership import describe_manager
from remediation.plan import Target
from remediation.playbook import RemediationPlaybook
from remediation.prerequisites import CHECKS, Circumstances, require
from remediation.protection import ChangeWindow, Protection
from remediation.states import PlaybookStatus
from tests.fakes.switches import (
    ANA,
    OMAR,
    POLICY,
    START,
    Bench,
    Switch,
    SwitchParams,
    door_finding,
    door_playbook,
)

NIGHT = ChangeWindow(days=frozenset({"tue"}), start=time(22), end=time(23), zone=ZoneInfo("UTC"))


class TaggedSwitch(Switch):
    """A switch that has tags, and an id of its own on the board."""

    action_type = "tagged"
    key = "tagged"

    def __init__(self, board: object, tags: Mapping[str, str] | None = None) -> None:
        super().__init__(board)  # type: ignore[arg-type]
        self.tags = tags

    def plan(self, target: Target, params: Params) -> Draft:
        assert isinstance(params, SwitchParams)
        here = replace(target, resource=f"board/{params.name}")
        return replace(super().plan(target, params), target=here, tags=self.tags)


def make_bench(protection: Protection | None = None, *, tags: Mapping[str, str] | None = None) -> Bench:
    policy = replace(POLICY, protection=protection or Protection())
    bench = Bench(MemoryExecutions(), policy=policy)
    return Bench(
        bench.store, policy=policy, board=bench.board, others=(TaggedSwitch(bench.board, tags), ByHand())
    )


def book_with(
    *prerequisites: str, kind: str = "switch", names: tuple[str, ...] = ("door",)
) -> RemediationPlaybook:
    book = door_playbook(names=())
    for name in names:
        book.add_action(f"close_{name}", kind, {"name": name, "to": "closed"})
    for check in prerequisites:
        book.add_prerequisite(check)
    return book


def manual_book(*prerequisites: str) -> RemediationPlaybook:
    book = book_with(*prerequisites, names=())
    book.add_action("by_hand", "manual", {"steps": ["Close the door."]})
    return book


def test_all_five_hold_and_the_card_says_so() -> None:
    plan = make_bench().runner.planner.draw_up(book_with(*CHECKS), door_finding())
    assert plan.actions[0].notes == (
        "Checked: resource exists, finding open, not protected, account allowed, inside change window.",
    )


def test_an_unknown_check_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        InputError, match="CLOSE-DOOR: there is no prerequisite resource_exist; did you mean resource_exists"
    ):
        make_bench().runner.planner.check(book_with("resource_exist"))
    with pytest.raises(InputError, match="there are resource_exists, finding_open"):
        make_bench().runner.planner.check(book_with("zzz"))


def test_a_resource_that_no_step_reads_is_not_known_to_exist() -> None:
    planner = make_bench().runner.planner
    planner.draw_up(manual_book(), door_finding())
    with pytest.raises(
        RefusedError, match=r"nobody can tell whether it exists. \(prerequisite resource_exists\)"
    ):
        planner.draw_up(manual_book("resource_exists"), door_finding())


def test_a_finding_that_passes_is_not_open() -> None:
    passed = replace(door_finding(), status=FindingStatus.PASS)
    seen = Circumstances(finding=passed, drafts=[], protection=Protection(), now=START)
    with pytest.raises(
        RefusedError, match=r"is PASS, so there is nothing to fix. \(prerequisite finding_open\)"
    ):
        require(["finding_open"], seen)


@pytest.mark.parametrize("muted", [False, True])
def test_it_is_never_planned_for_either(muted: bool) -> None:
    status = FindingStatus.FAIL if muted else FindingStatus.PASS
    with pytest.raises(InputError, match="nothing to fix"):
        make_bench().runner.planner.draw_up(book_with(), replace(door_finding(), status=status, muted=muted))


@pytest.mark.parametrize(
    ("check", "rules"),
    [
        ("not_protected", Protection(resources=("board/*",))),
        ("not_protected", Protection(tags=("a=b",))),
        ("account_allowed", Protection(accounts=frozenset({"1"}))),
        ("inside_change_window", Protection(windows=(NIGHT,))),
    ],
)
def test_each_check_can_fail_by_itself(check: str, rules: Protection) -> None:
    planner = make_bench().runner.planner
    steps = planner.steps(book_with(kind="tagged"), door_finding())
    target = Target(provider="board", resource="board/door")
    drafts = [(step, step.draft(target)) for step in steps]
    seen = Circumstances(finding=door_finding(), drafts=drafts, protection=Protection(), now=START)
    require([check], seen)
    with pytest.raises(RefusedError, match=f"prerequisite {check}"):
        require([check], replace(seen, protection=rules))


def test_inside_a_window_means_at_the_request_already() -> None:
    bench = make_bench(Protection(windows=(NIGHT,)))
    asked = bench.remediation.request(book_with(), door_finding(), ANA)
    assert asked.status is PlaybookStatus.PENDING
    with pytest.raises(RefusedError, match="inside_change_window"):
        bench.remediation.request(book_with("inside_change_window"), door_finding(), ANA)
    bench.pass_time(hours=13, minutes=30)
    asked = bench.remediation.request(book_with("inside_change_window"), door_finding(), ANA)
    assert asked.status is PlaybookStatus.PENDING


def test_a_check_that_stops_holding_stops_the_run() -> None:
    bench = make_bench(Protection(windows=(NIGHT,)))
    bench.pass_time(hours=13, minutes=30)
    asked = bench.remediation.request(book_with("inside_change_window"), door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    bench.pass_time(hours=1)
    ran = bench.runner.run(asked.execution_id)
    assert ran.status is PlaybookStatus.FAILED
    assert bench.board.switches == {"door": "open"}


def test_ten_targets_are_the_most_unless_the_playbook_says_otherwise() -> None:
    names = tuple(f"door{number}" for number in range(11))
    planner, book = make_bench().runner.planner, book_with(kind="tagged", names=names)
    with pytest.raises(RefusedError, match="change 11 resources; the playbook's `max_targets` allows 10"):
        planner.draw_up(book, door_finding())
    book.max_targets = 11
    assert len(planner.draw_up(book, door_finding()).actions) == 11


def test_steps_on_one_target_are_one_target() -> None:
    book = book_with(names=tuple(f"door{number}" for number in range(12)))
    assert len(make_bench().runner.planner.draw_up(book, door_finding()).actions) == 12


def test_the_configuration_may_allow_fewer_and_never_more() -> None:
    book = book_with(kind="tagged", names=("a", "b"))
    with pytest.raises(RefusedError, match="`protection.max_targets` allows 1"):
        make_bench(Protection(max_targets=1)).runner.planner.draw_up(book, door_finding())


def test_a_protected_tag_refuses_the_plan() -> None:
    rules = Protection(tags=("countersign:protected=true",))
    planner = make_bench(rules, tags={"countersign:protected": "true"}).runner.planner
    with pytest.raises(RefusedError, match="protected by its tag"):
        planner.draw_up(book_with(kind="tagged"), door_finding())
    make_bench(rules, tags={}).runner.planner.draw_up(book_with(kind="tagged"), door_finding())


def test_what_a_person_does_by_hand_needs_no_tags() -> None:
    planner = make_bench(Protection(tags=("a=b",))).runner.planner
    planner.draw_up(manual_book("not_protected"), door_finding())


def test_a_resource_is_protected_by_the_scanners_name_and_by_the_actions() -> None:
    for pattern in ("board/door", "board/hatch"):
        planner = make_bench(Protection(resources=(pattern,))).runner.planner
        with pytest.raises(RefusedError, match=f"names {pattern}"):
            planner.draw_up(book_with(kind="tagged", names=("hatch",)), door_finding())


@pytest.mark.parametrize(
    ("tags", "manager"),
    [
        ({"aws:cloudformation:stack-name": "web", "ManagedBy": "x"}, "the CloudFormation stack web"),
        ({"terraform": "true"}, "Terraform"),
        ({"Terraform": "prod/network"}, "Terraform"),
        ({"goog-terraform-provisioned": "true"}, "Terraform"),
        ({"ManagedBy": "pulumi"}, "pulumi"),
        ({"managed-by": "CDK"}, "CDK"),
        ({"managed_by": "terraform"}, "terraform"),
        ({"app.kubernetes.io/managed-by": "Helm"}, "Helm"),
    ],
)
def test_what_infrastructure_code_keeps_is_said(tags: dict[str, str], manager: str) -> None:
    note = f"Managed by {manager}; the change may be reverted by the next deployment."
    assert describe_manager(tags) == (note,)
    plan = make_bench(tags=tags).runner.planner.draw_up(book_with(kind="tagged"), door_finding())
    assert plan.actions[0].notes == (note,)


@pytest.mark.parametrize(
    "tags",
    [None, {}, {"terraform": "false"}, {"ManagedBy": "hand"}, {"ManagedBy": ""}, {"owner": "terraform"}],
)
def test_and_nothing_is_said_where_it_does_not(tags: dict[str, str] | None) -> None:
    assert describe_manager(tags) == ()
