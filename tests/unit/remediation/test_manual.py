"""Steps for a person: shown word by word, signed by a person, and nothing changed by us."""

from dataclasses import replace

import orjson
import pytest

from audit.errors import InputError, RefusedError
from handlers.blocks.card import CardRules, build_card
from handlers.blocks.states import rollback_fact
from remediation.actions.manual import ByHand
from remediation.execution import PlaybookExecution
from remediation.lint import lint_playbook
from remediation.memory import MemoryExecutions
from remediation.playbook import RemediationPlaybook
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, Bench, door_finding, door_playbook

STEPS = ["Sign in to the console.", "Turn on 2-Step Verification for {{ finding.resource }}."]


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions(), others=(ByHand(),))


def by_hand(book: RemediationPlaybook | None = None) -> RemediationPlaybook:
    book = book or RemediationPlaybook("MFA", "Enable MFA", "By hand.", "IAM", "HIGH")
    book.add_action("enforce", "manual", {"steps": STEPS})
    return book


def signed(bench: Bench, book: RemediationPlaybook, *, reason: str = "") -> PlaybookExecution:
    asked = bench.remediation.request(book, door_finding(), ANA)
    bench.remediation.approve(asked.execution_id, OMAR, reason=reason)
    return bench.runner.run(asked.execution_id)


def words(execution: PlaybookExecution) -> str:
    return orjson.dumps(build_card(execution, CardRules()).to_dict()).decode()


def test_the_plan_shows_every_step_and_the_card_says_who_changes_nothing(bench: Bench) -> None:
    asked = bench.remediation.request(by_hand(), door_finding(), ANA)
    assert asked.plan is not None
    assert asked.plan.actions[0].after == {
        "By hand, step 1": "Sign in to the console.",
        "By hand, step 2": "Turn on 2-Step Verification for board/door.",
    }
    said = words(asked)
    assert "Countersign will change nothing" in said
    assert "not signed → Sign in to the console." in said
    assert "For a person to do by hand" in said
    assert rollback_fact(asked, approvals=1) == (
        "Rollback",
        "Nothing to put back: Countersign changes no resource",
    )


def test_what_is_recorded_is_who_signed_when_and_why(bench: Bench) -> None:
    done = signed(bench, by_hand(), reason=" Seen in the console ")
    assert done.status is PlaybookStatus.COMPLETED
    assert done.actions[0].message == "Signed; Countersign changed nothing"
    assert done.actions[0].before is None
    assert isinstance(bench.store, MemoryExecutions)
    entries = [orjson.loads(entry.body) for entry in bench.store.trail]
    [record] = [entry for entry in entries if entry["kind"] == "action.completed"]
    [evidence] = record["detail"]["signed"]
    assert evidence["by"]["slack_id"] == "U0OMAR"
    assert evidence["at"] == bench.now.isoformat()
    assert evidence["reason"] == "Seen in the console"
    assert done.plan is not None
    assert evidence["plan_digest"] == done.plan.digest
    [approval] = [entry for entry in entries if entry["kind"] == "execution.approved"]
    assert approval["detail"]["reason"] == "Seen in the console"
    assert "Countersign changed nothing" in words(done)
    assert "verified by reading" not in words(done)


def test_there_is_nothing_to_put_back(bench: Bench) -> None:
    done = signed(bench, by_hand())
    assert not done.can_roll_back
    with pytest.raises(RefusedError, match="nothing to roll back"):
        bench.runner.roll_back(done.execution_id, OMAR)


def test_it_does_not_keep_the_other_steps_from_being_put_back(bench: Bench) -> None:
    done = signed(bench, by_hand(door_playbook()))
    assert bench.board.switches == {"door": "closed"}
    assert bench.runner.roll_back(done.execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open"}
    assert bench.store.get(done.execution_id).actions[1].status is ActionStatus.COMPLETED


def test_steps_are_asked_for_even_where_the_rest_is_done_already(bench: Bench) -> None:
    bench.board.switches = {"door": "closed"}
    asked = bench.remediation.request(by_hand(door_playbook()), door_finding(), ANA)
    assert asked.status is PlaybookStatus.PENDING
    assert asked.actions[0].status is ActionStatus.SKIPPED


def test_a_playbook_that_no_person_signs_cannot_have_them(bench: Bench) -> None:
    book = by_hand()
    book.requires_approval = False
    with pytest.raises(InputError, match="enforce: what is done by hand needs a person's signature"):
        bench.runner.planner.check(book)
    text = (
        "playbook_id: MFA\nname: M\nfinding_category: IAM\nseverity: LOW\nrequires_approval: false\n"
        "actions:\n  - {action_name: enforce, action_type: manual, params: {steps: [Do it.]}}\n"
    )
    [mistake] = lint_playbook(text, registry=bench.runner.planner.registry)
    assert (mistake.line, "a person's signature" in mistake.text) == (5, True)


@pytest.mark.parametrize("steps", [[], [""], ["x" * 501], ["step"] * 21, "one"])
def test_what_is_no_list_of_steps_is_refused(bench: Bench, steps: object) -> None:
    book = RemediationPlaybook("MFA", "Enable MFA", "By hand.", "IAM", "HIGH")
    book.add_action("enforce", "manual", {"steps": steps})
    with pytest.raises(InputError, match="action enforce: steps"):
        bench.runner.planner.check(book)


def test_other_words_are_another_plan(bench: Bench) -> None:
    first = bench.runner.planner.draw_up(by_hand(), door_finding())
    other = bench.runner.planner.draw_up(by_hand(), replace(door_finding(), resource="board/gate"))
    assert first.actions[0].signed() != other.actions[0].signed()


def test_after_a_crash_in_the_middle_it_is_signed_all_the_same(bench: Bench) -> None:
    done = signed(bench, by_hand())
    started = replace(done.actions[0], status=ActionStatus.STARTED)
    assert isinstance(bench.store, MemoryExecutions)
    bench.store._executions[done.execution_id] = replace(
        done, status=PlaybookStatus.RUNNING, actions=(started,)
    )
    assert bench.runner.recover(done.execution_id).status is PlaybookStatus.COMPLETED
