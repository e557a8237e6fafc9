"""What every `ExecutionFinder` does."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from audit.actor import Actor
from audit.errors import NotFoundError
from audit.findings import Severity
from remediation.execution import Decision, PlaybookExecution, Restored, RollbackRequest, Verdict
from remediation.pending_query import ALL_PENDING, PendingQuery, Signer, parse_pending
from remediation.rules import Rule, first_fitting
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import ANALYST, APPROVER, NOW, a_finding, an_event, an_execution
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
GLASS = Decision(
    verdict=Verdict.BREAK_GLASS, actor=ANALYST, at=NOW, revision=1, plan_digest="3" * 64, reason="down"
)


def stored(stores: AnyStores, name: str, **changes: object) -> PlaybookExecution:
    return stores.executions.create(an_execution(name, **changes), an_event())


def names(found: list[PlaybookExecution]) -> list[str]:
    return [execution.execution_id for execution in found]


def test_by_the_beginning_of_its_id_in_any_case(stores: AnyStores) -> None:
    one = stored(stores, "x-0a1b2c3d4e5f")
    stored(stores, "X-0a99")
    assert stores.finder.named("x-0a1") == one
    assert stores.finder.named("  X-0A1B2C3D4E5F ") == one
    assert stores.finder.named("x-0a9").execution_id == "X-0a99"


def test_a_whole_id_wins_over_a_longer_one(stores: AnyStores) -> None:
    one = stored(stores, "x-0a")
    stored(stores, "x-0ab")
    assert stores.finder.named("x-0a") == one


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x-1", "no execution"),
        ("", "no execution"),
        ("%", "no execution"),
        ("x-0", "more than one"),
        ("\0", "no"),
    ],
)
def test_nothing_or_too_many_is_said(stores: AnyStores, name: str, says: str) -> None:
    stored(stores, "x-0a")
    stored(stores, "x-0b")
    with pytest.raises(NotFoundError, match=says):
        stores.finder.named(name)


def test_what_waits_those_that_end_first_first(stores: AnyStores) -> None:
    stored(stores, "late", expires_at=NOW + timedelta(hours=9), holds="a")
    stored(stores, "soon", expires_at=NOW + timedelta(hours=1), holds="b")
    stored(stores, "over", status=PlaybookStatus.REJECTED)
    assert names(stores.finder.pending()) == ["soon", "late"]
    assert names(stores.finder.pending(limit=1)) == ["soon"]
    assert stores.finder.count_pending() == 2


def entries(stores: AnyStores, query: PendingQuery = ALL_PENDING, **page: int) -> list[str]:
    return names(stores.finder.entries(query, **page))


def test_what_waits_is_read_page_by_page(stores: AnyStores) -> None:
    for number in range(5):  # the middle three end at one moment
        ends = NOW + timedelta(hours=(1, 2, 2, 2, 3)[number])
        stored(stores, f"x-{number}", expires_at=ends, holds=str(number))
    pages = [entries(stores, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert pages == [["x-0", "x-1"], ["x-2", "x-3"], ["x-4"], []]


def test_a_batch_is_one_entry_until_an_item_has_a_card_of_its_own(stores: AnyStores) -> None:
    def asked(name: str, **changes: object) -> None:
        finding = a_finding(severity=Severity.LOW if name == "b-2" else Severity.HIGH)
        stored(stores, name, finding=finding, holds=name, **changes)

    for number, name in enumerate(("b-1", "b-2", "b-3")):
        asked(name, batch_id="b-all", expires_at=NOW + timedelta(hours=number + 2))
    asked("b-4", batch_id="b-all", expires_at=NOW + timedelta(hours=9), revision=2)
    asked("alone", expires_at=NOW + timedelta(hours=3))
    assert entries(stores) == ["b-1", "alone", "b-4"]
    assert entries(stores, limit=1, offset=1) == ["alone"]
    assert stores.finder.count_entries(ALL_PENDING) == (5, 3)
    low = PendingQuery(severities=frozenset({Severity.LOW}))
    assert entries(stores, low) == ["b-2"], "an item that matches stands for its batch"
    assert stores.finder.count_entries(low) == (1, 1)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("severity:high",), ["high"]),
        (("severity:high,low",), ["high", "low"]),
        (("account:123456789012",), ["high", "low"]),
        (("account:" + "7" * 300,), ["other"]),
        (("playbook:close-door",), ["other"]),
        (("severity:high", "playbook:CLOSE-DOOR"), []),
        ((), ["high", "low", "other"]),
    ],
)
def test_what_waits_is_searched(stores: AnyStores, words: tuple[str, ...], found: list[str]) -> None:
    book = {"playbook_id": "Close-Door", "name": "Close the door"}
    medium = a_finding(severity=Severity.MEDIUM, account_id="7" * 300)
    stored(stores, "high", holds="a")
    stored(stores, "low", finding=a_finding(severity=Severity.LOW), holds="b")
    stored(stores, "other", finding=medium, playbook=book, holds="c")
    query = parse_pending(words)
    assert entries(stores, query) == names(stores.finder.pending(query)) == found
    assert stores.finder.count_entries(query) == (len(found), len(found))


RULES = (
    Rule(severities=frozenset({Severity.CRITICAL, Severity.HIGH}), accounts=frozenset({"1"})),
    Rule(playbooks=frozenset({"P"})),
    Rule(severities=frozenset({Severity.HIGH})),
)


def signer(*places: int | None, actor: Actor = APPROVER, signs_own: bool = False) -> PendingQuery:
    who = Signer(actor=actor, rules=RULES, places=frozenset(places), now=NOW, signs_own=signs_own)
    return PendingQuery(is_mine=True, signer=who)


def test_what_a_rule_decides_about_is_picked_as_the_policy_does(stores: AnyStores) -> None:
    placed: dict[int | None, set[str]] = {}
    for number, (severity, account, book) in enumerate(product(Severity, ("1", "2"), ("P", "Q"))):
        finding = a_finding(severity=severity, account_id=account)
        stored(
            stores,
            f"x-{number:02}",
            finding=finding,
            playbook={"playbook_id": book, "name": ""},
            holds=str(number),
        )
        placed.setdefault(first_fitting(RULES, finding, book, account), set()).add(f"x-{number:02}")
    assert placed.keys() == {0, 1, 2, None} == stores.finder.deciding_rules(RULES)
    for place, expected in placed.items():
        assert set(entries(stores, signer(place), limit=99)) == expected
    assert set(entries(stores, signer(0, None), limit=99)) == placed[0] | placed[None]
    assert entries(stores, signer()) == []
    assert stores.finder.deciding_rules(()) == {None}


def test_what_somebody_may_not_sign_is_not_theirs(stores: AnyStores) -> None:
    signed = Decision(verdict=Verdict.APPROVE, actor=APPROVER, at=NOW, revision=1, plan_digest="3" * 64)
    by_shell = Actor(email=" Approver@Example.com ", origin="cli")
    stored(stores, "theirs", holds="a")
    stored(stores, "own", requester=APPROVER, holds="b")
    stored(stores, "by-shell", requester=by_shell, holds="c")
    stored(stores, "signed", decisions=(signed,), holds="d")
    stored(stores, "signed-elsewhere", decisions=(replace(signed, actor=by_shell),), holds="e")
    stored(stores, "signed-before", decisions=(signed,), revision=2, holds="f")
    stored(stores, "refused", decisions=(replace(signed, verdict=Verdict.DONE),), holds="g")
    stored(stores, "late", expires_at=NOW, holds="h")
    stored(stores, "over", status=PlaybookStatus.REJECTED)
    everything = signer(None, 0, 1, 2)
    assert sorted(entries(stores, everything)) == ["refused", "signed-before", "theirs"]
    own = signer(None, 0, 1, 2, signs_own=True)
    assert sorted(entries(stores, own)) == ["by-shell", "own", "refused", "signed-before", "theirs"]


def test_nothing_waits_so_no_rule_decides(stores: AnyStores) -> None:
    stored(stores, "over", status=PlaybookStatus.REJECTED)
    assert stores.finder.deciding_rules(RULES) == frozenset()


def test_rollbacks_that_wait_those_that_end_first_first(stores: AnyStores) -> None:
    def asked(hours: int) -> RollbackRequest:
        return RollbackRequest(
            requester=ANALYST,
            asked_at=NOW,
            asked_version=2,
            expires_at=NOW + timedelta(hours=hours),
            digest="3" * 64,
            settings=(Restored(resource="r", setting="s", was=None, we_set=True, now=[1, "x"]),),
        )

    done = PlaybookStatus.COMPLETED
    late = stored(stores, "late", status=done, rollback=asked(9))
    stored(stores, "soon", status=done, rollback=asked(1))
    stored(stores, "none", status=done)
    stored(stores, "unreviewed", status=done, decisions=(GLASS,))
    assert names(stores.finder.rollbacks()) == ["soon", "late"]
    assert stores.finder.rollbacks()[1] == late
    (first,) = stores.finder.rollbacks(limit=1)
    assert names([first]) == ["soon"]
    assert names(stores.finder.rollbacks(limit=2, after=first)) == ["late"]
    assert stores.finder.rollbacks(after=late) == []
    named, others = signer(2).signer, signer(0, 1, None).signer
    assert names(stores.finder.rollbacks(signer=named)) == ["soon", "late"], "a high one: the third rule"
    assert stores.finder.rollbacks(signer=others) == []
    assert stores.finder.deciding_rules(RULES) == {2}


def test_what_ran_newest_first(stores: AnyStores) -> None:
    for number, status in enumerate(PlaybookStatus):
        at = NOW + timedelta(minutes=number)
        stored(stores, status.value.lower(), status=status, created_at=at, holds=str(number))
    ran = names(stores.finder.ran(limit=20))
    assert ran[-3:] == ["completed", "running", "approved"]
    assert not {"pending", "rejected", "expired"} & set(ran)
    assert len(ran) == len(PlaybookStatus) - 3
    assert stores.finder.ran(limit=1) == stores.finder.ran(limit=20)[:1]


def test_what_a_person_asked_for_newest_first(stores: AnyStores) -> None:
    elsewhere = replace(ANALYST, workspace="T2")
    stored(stores, "first", created_at=NOW)
    stored(stores, "second", created_at=NOW + timedelta(minutes=1))
    stored(stores, "theirs", requester=elsewhere)
    stored(stores, "shell", requester=Actor(email="a@b.example", origin="cli"))
    assert names(stores.finder.asked_by(ANALYST)) == ["second", "first"]
    assert names(stores.finder.asked_by(ANALYST, limit=1)) == ["second"]
    assert names(stores.finder.asked_by(elsewhere)) == ["theirs"]
    assert stores.finder.asked_by(Actor(email="a@b.example")) == [], "who is at a shell has no home"
