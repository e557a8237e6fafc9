"""Which terms an execution gets, and that nobody outside them counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actor import Actor
from audit.errors import RefusedError
from audit.findings import Severity
from remediation.execution import Decision, PlaybookExecution, Verdict
from remediation.memory import MemoryExecutions
from remediation.plan import Target
from remediation.policy import Policy, count_people, is_approved
from remediation.ports import Person
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from tests.fakes.samples import ANALYST, NOW, an_execution
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, Bench, door_finding, door_playbook

PROD, SANDBOX = "111111111111", "222222222222"
CRITICAL = frozenset({Severity.CRITICAL, Severity.HIGH})
CISO = Rule(severities=CRITICAL, accounts=frozenset({PROD}), approvers=frozenset({"U0OTTO"}))
TWO = Rule(severities=CRITICAL, required_approvals=2, expires_after=timedelta(hours=1))
RULED = replace(POLICY, rules=(CISO, TWO))


def bench_with(*rules: Rule, **changes: object) -> Bench:
    return Bench(MemoryExecutions(), replace(POLICY, rules=rules, **changes))  # type: ignore[arg-type]


def ask(bench: Bench, account_id: str = "") -> PlaybookExecution:
    finding = replace(door_finding(), account_id=account_id)
    return bench.remediation.request(door_playbook(), finding, ANA)


def test_the_first_rule_that_fits_decides_alone() -> None:
    terms = RULED.terms_for(replace(door_finding(), account_id=PROD), "CLOSE-DOOR")
    assert (terms.approvers, terms.approver_groups, terms.needed) == (frozenset({"U0OTTO"}), frozenset(), 1)
    assert terms.expires_after == POLICY.expires_after, "nothing of the second rule is mixed in"
    assert terms.source == "policy.rules.0"


def test_what_a_rule_leaves_open_is_the_sections() -> None:
    terms = RULED.terms_for(replace(door_finding(), account_id=SANDBOX), "CLOSE-DOOR")
    assert (terms.approver_groups, terms.needed) == (POLICY.approver_groups, 2)
    assert terms.expires_after == timedelta(hours=1)


def test_where_no_rule_fits_the_section_decides() -> None:
    terms = RULED.terms_for(replace(door_finding(), severity=Severity.LOW), "CLOSE-DOOR")
    assert (terms.source, terms.needed) == ("policy", 1)


def test_a_rule_is_about_its_playbooks_only() -> None:
    policy = replace(POLICY, rules=(replace(TWO, playbooks=frozenset({"CLOSE-DOOR"})),))
    assert policy.terms_for(door_finding(), "CLOSE-DOOR").needed == 2
    assert policy.terms_for(door_finding(), "OPEN-DOOR").needed == 1
    assert [terms.needed for _, terms in policy.terms_by_rule("OPEN-DOOR")] == [1]


def test_who_only_the_section_names_may_not_sign_under_a_rule_of_its_own_people() -> None:
    bench = bench_with(CISO)
    asked = ask(bench, PROD)
    with pytest.raises(RefusedError, match="not among the approvers. Who is: @U0OTTO"):
        bench.remediation.approve(asked.execution_id, OMAR)
    with pytest.raises(RefusedError, match="not among the approvers"):
        bench.remediation.reject(asked.execution_id, OMAR, reason="no")
    assert bench.remediation.approve(asked.execution_id, OTTO).status is PlaybookStatus.APPROVED
    with pytest.raises(RefusedError, match="not among the approvers"):
        bench.remediation.allow_rollback(bench.runner.run(asked.execution_id).execution_id, OMAR)


def test_a_rules_own_number_and_time_hold() -> None:
    bench = bench_with(TWO)
    asked = ask(bench)
    assert asked.expires_at == bench.now + timedelta(hours=1)
    assert bench.remediation.approve(asked.execution_id, OMAR).status is PlaybookStatus.PENDING
    with pytest.raises(RefusedError, match="already approved"):
        bench.remediation.approve(asked.execution_id, OMAR)
    assert bench.remediation.approve(asked.execution_id, PRIYA).status is PlaybookStatus.APPROVED


def test_a_plan_drawn_up_anew_waits_as_long_as_its_rule_says_and_needs_all_signatures_again() -> None:
    bench = bench_with(TWO)
    asked = ask(bench)
    bench.remediation.approve(asked.execution_id, OMAR)
    bench.remediation.approve(asked.execution_id, PRIYA)
    bench.board.switches["door"] = "ajar"
    bench.pass_time(minutes=30)
    anew = bench.runner.run(asked.execution_id)
    assert (anew.status, anew.revision) == (PlaybookStatus.PENDING, 2)
    assert anew.expires_at == bench.now + timedelta(hours=1)
    assert bench.remediation.approve(asked.execution_id, OMAR).status is PlaybookStatus.PENDING
    assert bench.runner.run(asked.execution_id).status is PlaybookStatus.PENDING


def test_an_account_nobody_knows_gets_no_plan_where_rules_differ_by_account() -> None:
    assert "account is not known" in (ask_refused(bench_with(CISO), "") or "")
    assert ask_refused(bench_with(TWO), "") is None, "no rule asks for it"


def ask_refused(bench: Bench, account_id: str) -> str | None:
    try:
        ask(bench, account_id)
    except RefusedError as error:
        return str(error)
    return None


def test_a_report_that_names_another_account_than_the_one_acted_in_gets_no_laxer_terms() -> None:
    finding = replace(door_finding(), account_id=SANDBOX)
    target = Target(provider="aws", resource="board/door", account_id=PROD)
    with pytest.raises(RefusedError, match=f"{PROD} and {SANDBOX}"):
        RULED.refuse_unclear(finding, "CLOSE-DOOR", [target])
    RULED.refuse_unclear(replace(finding, severity=Severity.LOW), "CLOSE-DOOR", [target])


@pytest.mark.parametrize(
    "change",
    [
        {"severities": frozenset({Severity.LOW})},
        {"accounts": frozenset({SANDBOX})},
        {"playbooks": frozenset({"CLOSE-DOOR"})},
        {"approvers": frozenset({"U0OMAR"})},
        {"approver_groups": frozenset({"S0SEC"})},
        {"required_approvals": 3},
        {"expires_after": timedelta(hours=2)},
    ],
)
def test_the_digest_covers_every_word_of_a_rule(change: dict[str, object]) -> None:
    changed = replace(RULED, rules=(replace(CISO, **change), TWO))  # type: ignore[arg-type]
    assert changed.digest != RULED.digest
    assert replace(RULED, rules=(TWO, CISO)).digest != RULED.digest, "and their order"


def test_twelve_names_are_shown_and_the_rest_counted() -> None:
    many = Policy(approvers=frozenset(f"U{number:03}" for number in range(20)))
    said = many.terms_for(door_finding(), "X").describe_approvers()
    assert said.endswith("@U011, 8 more")


def signed_by(*actors: Actor, digest: str | None = None, revision: int = 1) -> PlaybookExecution:
    execution = an_execution()
    assert execution.plan is not None
    decisions = tuple(
        Decision(
            verdict=Verdict.APPROVE,
            actor=actor,
            at=NOW,
            revision=revision,
            plan_digest=digest or execution.plan.digest,
        )
        for actor in actors
    )
    return replace(execution, decisions=decisions)


def test_the_same_person_twice_is_one() -> None:
    two = Policy(required_approvals=2)
    by_id, by_address = (
        Actor(workspace="T1", slack_id="U2"),
        Actor(email="b@example.com", workspace="T1", slack_id="u2"),
    )
    assert not is_approved(two, signed_by(by_id, by_address))
    assert is_approved(two, signed_by(by_id, Actor(workspace="T1", slack_id="U3")))


def test_one_name_may_link_two_others() -> None:
    by_id, by_both = (
        Actor(workspace="T1", slack_id="U2"),
        Actor(workspace="T1", slack_id="U2", email="b@x.org"),
    )
    assert count_people([by_id, Actor(email="b@x.org"), by_both]) == 1
    assert count_people([by_id, Actor(email="b@x.org")]) == 1, "nobody can tell them apart"
    assert count_people([Actor(), Actor()]) == 0, "nobody is nobody"


def test_a_signature_of_whoever_asked_does_not_count_even_where_one_got_in() -> None:
    assert not is_approved(Policy(), signed_by(ANALYST))
    assert is_approved(Policy(allow_self_approval=True), signed_by(ANALYST))


def test_signatures_on_another_plan_or_revision_do_not_count() -> None:
    assert is_approved(Policy(), signed_by(OMAR))
    assert not is_approved(Policy(), signed_by(OMAR, digest="0" * 64))
    assert not is_approved(Policy(), signed_by(OMAR, revision=2))


people = st.builds(
    Actor,
    workspace=st.sampled_from(["", "T1"]),
    slack_id=st.sampled_from(["", "U1", "U2", "U3", "U4"]),
    email=st.sampled_from(["", "analyst@example.com", "b@example.com", "C@example.com"]),
)


@given(st.lists(people, max_size=6), st.integers(1, 4))
def test_no_pile_of_signatures_passes_with_fewer_people_than_are_needed(
    signers: list[Actor], needed: int
) -> None:
    """Whoever is the same as somebody who is the same as a third is one person: linked names are followed to their end."""
    approved = is_approved(Policy(required_approvals=needed), signed_by(*signers))
    names = [
        {name for name in (who.slack_id, who.email.casefold()) if name} for who in signers if who.is_resolved
    ]
    everybody = list(linked(names))
    others = [circle for circle in everybody if not circle & {"U1", "analyst@example.com"}]
    assert not approved or len(others) >= needed


def linked(names: list[set[str]]) -> list[set[str]]:
    """Return the names in circles that share none."""
    circles: list[set[str]] = []
    for some in names:
        mine = [circle for circle in circles if circle & some]
        circles = [circle for circle in circles if not circle & some]
        circles.append(some.union(*mine))
    return circles


@given(st.permutations([Actor(workspace="T1", slack_id=f"U{number}") for number in range(5, 9)]))
def test_as_many_people_as_are_needed_do_pass(signers: list[Actor]) -> None:
    assert is_approved(Policy(required_approvals=4), signed_by(*signers))
    assert not is_approved(Policy(required_approvals=5), signed_by(*signers))


rules = st.builds(
    Rule,
    severities=st.frozensets(st.sampled_from(Severity)),
    accounts=st.frozensets(st.sampled_from([PROD, SANDBOX])),
    playbooks=st.frozensets(st.sampled_from(["A", "B"])),
)


@given(rules, rules)
def test_a_rule_that_covers_another_fits_wherever_it_fits(earlier: Rule, later: Rule) -> None:
    places = [
        (level, account, book) for level in Severity for account in (PROD, SANDBOX, "3") for book in "ABC"
    ]

    def fits(rule: Rule) -> set[object]:
        return {p for p in places if rule.fits(severity=p[0], account_id=p[1], playbook_id=p[2])}

    assert earlier.covers(later) == (fits(later) <= fits(earlier))


def test_guests_stay_out_though_a_rule_names_them() -> None:
    bench = bench_with(replace(CISO, accounts=frozenset()))
    bench.people.people["U0OTTO"] = Person(actor=OTTO, is_guest=True)
    with pytest.raises(RefusedError, match="Only full members"):
        bench.remediation.approve(ask(bench).execution_id, OTTO)
