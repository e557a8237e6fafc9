"""From what a playbook says to the steps that are planned: conditions, templates, and the same again at the run."""

from dataclasses import replace
from threading import Barrier, current_thread

import pytest

from audit.errors import InputError
from audit.findings import Finding, FindingStatus
from remediation.memory import MemoryExecutions
from remediation.plan import Plan
from remediation.planning import AT_A_TIME, Planner
from remediation.playbook import RemediationPlaybook
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, POLICY, Bench, door_finding, door_playbook


def book_with(condition: str | None = None, to: str = "closed", name: str = "door") -> RemediationPlaybook:
    book = door_playbook(names=("hatch",))
    book.add_action("close_it", "switch", {"name": name, "to": to}, condition)
    return book


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


@pytest.fixture
def planner(bench: Bench) -> Planner:
    return bench.runner.planner


def test_a_step_whose_condition_does_not_hold_is_not_planned_run_or_put_back(bench: Bench) -> None:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action("close_hatch", "switch", {"name": "hatch", "to": "closed"}, 'finding.provider == "ship"')
    book.add_action("close_door", "switch", {"name": "door", "to": "closed"}, 'finding.provider == "board"')
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR)
    assert bench.runner.run(asked.execution_id).status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed"}
    bench.runner.roll_back(asked.execution_id, OMAR)
    assert bench.board.switches == {"door": "open"}


def test_parameters_quote_the_finding(planner: Planner) -> None:
    book = book_with(name="{{ finding.resource | lower }}")
    plan = planner.draw_up(book, door_finding())
    assert plan.actions[1].params == {"name": "board/door", "to": "closed"}


def test_where_no_step_applies_there_is_no_plan(planner: Planner) -> None:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action("close", "switch", {"name": "door", "to": "closed"}, 'finding.region == "moon"')
    with pytest.raises(InputError, match="no step of CLOSE-DOOR applies"):
        planner.draw_up(book, door_finding())


@pytest.mark.parametrize(
    ("book", "why"),
    [
        (book_with("finding.titel == 'x'"), "action close_it: a finding has no titel"),
        (book_with(to="{{ secrets }}"), "action close_it: .*a template quotes the finding"),
        (book_with(to=3), "action close_it: to: Input should be a valid string"),  # type: ignore[arg-type]
    ],
)
def test_a_playbook_is_checked_before_any_finding(
    planner: Planner, book: RemediationPlaybook, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        planner.check(book)


def test_a_template_stands_for_a_value_until_it_is_filled_in() -> None:
    planner = Planner(Bench(MemoryExecutions()).runner.planner.registry, POLICY)
    planner.check(book_with(to="{{ finding.region }}"))


def test_what_the_finding_says_is_held_to_the_parameters_rules(planner: Planner) -> None:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action(
        "close", "switch", {"name": "{{ finding.region }}", "to": "closed", "too": "{{ finding.id }}"}
    )
    with pytest.raises(InputError, match="too: Extra inputs"):
        planner.draw_up(book, door_finding())


def many(*resources: str) -> list[Finding]:
    return [replace(door_finding(), resource=resource) for resource in resources]


def test_many_plans_come_in_the_findings_order_and_one_that_cannot_be_made_stops_no_other(
    planner: Planner, bench: Bench
) -> None:
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action(
        "close", "switch", {"name": "{{ finding.resource }}", "to": "closed"}, 'finding.region != "moon"'
    )
    findings = many(*(f"door-{number}" for number in range(60)))
    findings[7] = replace(findings[7], region="moon")
    findings[9] = replace(findings[9], status=FindingStatus.PASS)
    drawn = planner.draw_up_many(book, findings)
    failed = {position: drawn.pop(position) for position in (9, 7)}
    assert "no step of CLOSE-DOOR applies" in str(failed[7])
    assert "nothing to fix" in str(failed[9])
    named = [plan.actions[0].params["name"] for plan in drawn if isinstance(plan, Plan)]
    assert named == [finding.resource for position, finding in enumerate(findings) if position not in failed]
    assert planner.draw_up_many(book, []) == []


def test_many_plans_are_made_at_the_same_time_but_not_too_many(planner: Planner, bench: Bench) -> None:
    """As many as are allowed have to be reading at once, or the barrier breaks."""
    barrier, threads = Barrier(AT_A_TIME, timeout=30), set[str]()

    def meet() -> None:
        threads.add(current_thread().name)
        barrier.wait()

    bench.board.faults["read"] = meet
    book = RemediationPlaybook("CLOSE-DOOR", "Close the door", "Closes it.", "Network", "HIGH")
    book.add_action("close", "switch", {"name": "door", "to": "closed"})
    drawn = planner.draw_up_many(book, many(*map(str, range(2 * AT_A_TIME))))
    assert all(isinstance(plan, Plan) for plan in drawn)
    assert len(threads) == AT_A_TIME


def test_a_bug_in_one_of_many_is_not_taken_for_an_answer(planner: Planner, bench: Bench) -> None:
    def break_down() -> None:
        raise KeyError("ours")

    bench.board.faults["read"] = break_down
    with pytest.raises(KeyError, match="ours"):
        planner.draw_up_many(door_playbook(), many("a", "b"))
