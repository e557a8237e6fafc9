"""What every `Batches` does: several executions in one transaction with their entries, or nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import CountersignError, HeldError, NotFoundError, StateError
from audit.trail import breaks
from remediation.batches import Batch, LeftOut, Members, ReturnItem, ReturnOrder, set_digest
from remediation.excepted import FindingException
from remediation.execution import PlaybookExecution
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.samples import ANALYST, NOW, a_decision, a_finding, a_plan, an_event, an_execution
from tests.fakes.samples import an_event_nobody_can_write as unwritable
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores
NAMES = ("exec-1", "exec-2", "exec-3")


def an_item(number: int, *, batch_id: str = "b-1", prefix: str = "exec") -> PlaybookExecution:
    finding = a_finding(number)
    return an_execution(
        f"{prefix}-{number}",
        finding=finding,
        plan=a_plan(finding),
        holds=finding.resource,
        batch_id=batch_id,
    )


def a_batch(batch_id: str = "b-1", *, names: tuple[str, ...] = NAMES, **changes: object) -> Batch:
    batch = Batch(
        batch_id=batch_id,
        playbook_id="AWS-PUBLIC-S3",
        playbook_name="Block \0 public access",
        requester=ANALYST,
        created_at=NOW,
        channel="C1",
        execution_ids=names,
        left_out=(LeftOut(finding="f-9", resource="arn:aws:s3:::nine", why="it is \ud800 protected"),),
    )
    return replace(batch, **changes)  # type: ignore[arg-type]


def create(stores: AnyStores, batch: Batch | None = None, *, events: int = 4) -> Batch:
    batch = batch or a_batch()
    numbers = [int(name.rpartition("-")[2]) for name in batch.execution_ids]
    prefix = batch.execution_ids[0].rpartition("-")[0]
    items = [an_item(number, batch_id=batch.batch_id, prefix=prefix) for number in numbers]
    return stores.batches.create(batch, items, [an_event() for _ in range(events)])


def approved(execution: PlaybookExecution) -> PlaybookExecution:
    return execution.moved(PlaybookStatus.APPROVED, decisions=(*execution.decisions, a_decision(execution)))


def trail_length(stores: AnyStores) -> int:
    return len(list(stores.trail.stream()))


def test_a_batch_comes_back_with_its_executions_in_order(stores: AnyStores) -> None:
    create(stores, a_batch(names=("exec-3", "exec-1", "exec-2")))
    members = stores.batches.members("b-1")
    assert [each.execution_id for each in members.executions] == ["exec-3", "exec-1", "exec-2"]
    assert members.batch.execution_ids == ("exec-3", "exec-1", "exec-2")
    assert {(each.version, each.batch_id) for each in members.executions} == {(1, "b-1")}
    assert members.batch.requester == ANALYST
    assert members.batch.left_out[0].finding == "f-9"
    assert trail_length(stores) == 4
    assert list(breaks(stores.trail.stream())) == []


def test_an_unknown_batch_is_not_found(stores: AnyStores) -> None:
    for ask in (stores.batches.get, stores.batches.members, stores.batches.card):
        with pytest.raises(NotFoundError):
            ask("b-none")


def test_a_repeated_id_is_the_stored_batch(stores: AnyStores) -> None:
    create(stores)
    again = create(stores, a_batch(playbook_id="OTHER"))
    assert again.playbook_id == "AWS-PUBLIC-S3"
    assert trail_length(stores) == 4


def test_one_held_resource_stores_nothing(stores: AnyStores) -> None:
    stores.executions.create(an_item(2, batch_id="", prefix="other"), an_event())
    with pytest.raises(HeldError) as caught:
        create(stores)
    assert caught.value.holder == "other-2"
    with pytest.raises(NotFoundError):
        stores.batches.get("b-1")
    with pytest.raises(NotFoundError):
        stores.executions.get("exec-1")
    assert trail_length(stores) == 1


def test_a_trail_that_cannot_be_written_stores_nothing(stores: AnyStores) -> None:
    items = [an_item(1), an_item(2), an_item(3)]
    with pytest.raises(CountersignError):
        stores.batches.create(a_batch(), items, [an_event(), an_event(), an_event(), unwritable()])
    with pytest.raises(NotFoundError):
        stores.executions.get("exec-1")
    assert trail_length(stores) == 0


def test_holders_are_told_by_resource(stores: AnyStores) -> None:
    create(stores)
    held = [a_finding(1).resource, a_finding(3).resource, "arn:aws:s3:::free"]
    assert stores.batches.holders(held) == {held[0]: "exec-1", held[1]: "exec-3"}
    assert stores.batches.holders([]) == {}


def test_all_are_saved_together(stores: AnyStores) -> None:
    create(stores)
    before = stores.batches.members("b-1").executions
    saved = stores.batches.save_all([(each, approved(each)) for each in before], [an_event()] * 4)
    assert [each.version for each in saved] == [2, 2, 2]
    assert tuple(saved) == stores.batches.members("b-1").executions
    assert {each.status for each in saved} == {PlaybookStatus.APPROVED}
    assert trail_length(stores) == 8


def test_one_that_moved_on_saves_none(stores: AnyStores) -> None:
    create(stores)
    seen = stores.batches.members("b-1").executions
    stores.executions.save(seen[2], replace(seen[2], channel="C2"), an_event())
    with pytest.raises(StateError):
        stores.batches.save_all([(each, approved(each)) for each in seen], [an_event()] * 4)
    statuses = {each.status for each in stores.batches.members("b-1").executions}
    assert statuses == {PlaybookStatus.PENDING}
    assert trail_length(stores) == 5


def test_an_entry_that_cannot_be_written_saves_none(stores: AnyStores) -> None:
    create(stores)
    seen = stores.batches.members("b-1").executions
    with pytest.raises(CountersignError):
        stores.batches.save_all([(each, approved(each)) for each in seen], [*[an_event()] * 3, unwritable()])
    assert stores.batches.members("b-1").executions == seen
    assert trail_length(stores) == 4


def test_of_two_who_decide_at_once_one_wins(stores: AnyStores) -> None:
    create(stores)
    seen = stores.batches.members("b-1").executions

    def decide(_number: int) -> bool:
        try:
            stores.batches.save_all([(each, approved(each)) for each in seen], [an_event()] * 4)
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(8))) == 1
    assert trail_length(stores) == 8
    assert list(breaks(stores.trail.stream())) == []


def test_a_card_is_outdated_until_the_newest_state_is_drawn(stores: AnyStores) -> None:
    create(stores)
    create(stores, a_batch("b-2", names=("silent-4",), channel=""), events=2)
    assert stores.batches.outdated(NOW) == ["b-1"]
    members = stores.batches.members("b-1")
    card = replace(
        stores.batches.card("b-1"),
        channel="C1",
        message_id="1.2",
        progress_id="1.3",
        drawn_total=members.total,
    )
    stores.batches.put_card(card)
    assert stores.batches.card("b-1") == card
    assert stores.batches.outdated(NOW) == []
    first = members.executions[0]
    stores.executions.save(first, approved(first), an_event())
    assert stores.batches.outdated(NOW) == ["b-1"]


def test_a_card_tried_in_vain_waits_its_turn_and_a_newer_state_does_not(stores: AnyStores) -> None:
    create(stores)
    total = stores.batches.members("b-1").total
    later = NOW + timedelta(minutes=1)
    card = stores.batches.card("b-1")
    stores.batches.put_card(replace(card, attempts=1, attempted_total=total, next_attempt_at=later))
    assert stores.batches.outdated(NOW) == []
    assert stores.batches.outdated(later) == ["b-1"]
    first = stores.batches.members("b-1").executions[0]
    stores.executions.save(first, approved(first), an_event())
    assert stores.batches.outdated(NOW) == ["b-1"]


def test_refusals_are_kept_and_have_the_card_drawn(stores: AnyStores) -> None:
    create(stores)
    card = stores.batches.card("b-1")
    stores.batches.put_card(replace(card, drawn_total=stores.batches.members("b-1").total))
    leave_out_of_rollback(stores, {"exec-2": "somebody changed it"})
    assert stores.batches.get("b-1").refused == {"exec-2": "somebody changed it"}
    assert stores.batches.outdated(NOW) == ["b-1"]
    assert trail_length(stores) == 6


def an_order(*, owner: str = "boot-1") -> ReturnOrder:
    items = (ReturnItem(execution_id="exec-1", revision=1, shown=0),)
    return ReturnOrder(batch_id="b-1", actor=ANALYST, ordered_at=NOW, items=items, owner=owner)


def leave_out_of_rollback(stores: AnyStores, refused: dict[str, str]) -> None:
    stores.returns.put(an_order(), an_event("batch.rollback"))
    stores.returns.end(an_order(), refused, an_event("batch.rollback_refused"))


def test_a_rollback_is_ordered_once_until_it_is_over(stores: AnyStores) -> None:
    create(stores)
    stores.returns.put(an_order(), an_event())
    with pytest.raises(StateError, match="under way"):
        stores.returns.put(an_order(owner="boot-2"), an_event())
    assert stores.returns.get("b-1") == an_order()
    stores.returns.end(an_order(), {}, an_event())
    assert stores.returns.get("b-1") is None
    with pytest.raises(StateError):
        stores.returns.end(an_order(), {}, an_event())
    stores.returns.put(an_order(owner="boot-2"), an_event())


def test_an_order_is_taken_over_only_from_who_is_not_heard_of(stores: AnyStores) -> None:
    create(stores)
    stores.executions.beat("boot-1", NOW)
    stores.returns.put(an_order(), an_event())
    assert stores.returns.left("boot-1", NOW) == ["b-1"]
    assert stores.returns.left("boot-2", NOW) == []
    later = NOW + OWNER_LOST_AFTER
    assert stores.returns.left("boot-2", later) == ["b-1"]
    stores.executions.beat("boot-1", later)
    with pytest.raises(StateError):  # it spoke between the look and the swap
        stores.returns.take_over(an_order(), "boot-2", an_event(), last_heard=NOW)
    assert stores.executions.heard() == {"boot-1": later}
    taken = stores.returns.take_over(an_order(), "boot-2", an_event(), last_heard=later)
    assert (taken.owner, taken.takeovers) == ("boot-2", 1)
    assert stores.executions.heard() == {}
    for late in (
        lambda: stores.returns.take_over(an_order(), "boot-3", an_event(), last_heard=later),
        lambda: stores.returns.end(an_order(), {}, an_event()),
    ):
        with pytest.raises(StateError):
            late()
    assert stores.returns.get("b-1") == taken


def test_no_order_is_changed_without_the_trail(stores: AnyStores) -> None:
    create(stores)
    with pytest.raises(CountersignError):
        stores.returns.put(an_order(), unwritable())
    assert stores.returns.get("b-1") is None
    stores.returns.put(an_order(), an_event())
    with pytest.raises(CountersignError):
        stores.returns.take_over(an_order(), "boot-2", unwritable(), last_heard=None)
    with pytest.raises(CountersignError):
        stores.returns.end(an_order(), {"exec-1": "why"}, unwritable())
    assert stores.returns.get("b-1") == an_order()
    assert stores.batches.get("b-1").refused == {}


def test_an_outcome_is_claimed_once(stores: AnyStores) -> None:
    create(stores)
    assert [stores.batches.claim("b-1", "over", NOW) for _ in range(3)] == [True, False, False]
    assert stores.batches.claim("b-1", "back", NOW)


def test_a_claim_that_is_given_back_is_found_when_it_is_due(stores: AnyStores) -> None:
    create(stores)
    card = stores.batches.card("b-1")
    stores.batches.put_card(replace(card, drawn_total=stores.batches.members("b-1").total))
    later = NOW + timedelta(minutes=1)
    assert stores.batches.claim("b-1", "over", NOW)
    stores.batches.put_off("b-1", "back", until=NOW)  # not what was claimed
    stores.batches.put_off("b-1", "over", until=later)
    assert stores.batches.outdated(NOW) == []
    assert not stores.batches.claim("b-1", "over", NOW)
    assert stores.batches.outdated(later) == ["b-1"]
    assert [stores.batches.claim("b-1", "over", later) for _ in range(2)] == [True, False]
    assert stores.batches.outdated(later) == []


def test_a_drawing_that_began_before_does_not_hide_why_an_item_stayed(stores: AnyStores) -> None:
    create(stores)
    members, card = stores.batches.members("b-1"), stores.batches.card("b-1")
    leave_out_of_rollback(stores, {"exec-2": "somebody changed it"})
    stores.batches.put_card(replace(card, drawn_total=members.total, drawn_at=NOW))
    assert stores.batches.outdated(NOW) == ["b-1"]
    again = stores.batches.members("b-1")
    assert again.total > members.total
    stores.batches.put_card(replace(card, drawn_total=again.total, drawn_at=NOW))
    assert stores.batches.outdated(NOW) == []


def test_the_digest_of_a_set_knows_its_order_and_every_plan() -> None:
    items = [an_item(1), an_item(2), an_item(3)]
    digest = set_digest("b-1", items)
    assert set_digest("b-1", list(items)) == digest
    others = [
        set_digest("b-2", items),
        set_digest("b-1", items[:2]),
        set_digest("b-1", items[::-1]),
        set_digest("b-1", [*items[:2], replace(items[2], revision=2)]),
        set_digest("b-1", [*items[:2], replace(items[2], plan=a_plan(a_finding(9)))]),
    ]
    assert len({digest, *others}) == 6


def test_members_sort_what_waits_from_what_left() -> None:
    items = [an_item(1), replace(an_item(2), revision=2), approved(an_item(3))]
    members = Members(a_batch(), tuple(items))
    assert members.waiting == (items[0],)
    assert members.kept == (items[0], items[2])
    assert not members.is_over
    assert Members(a_batch(), (items[1],)).is_over


def test_a_batch_by_the_beginning_of_its_id_in_any_case(stores: AnyStores) -> None:
    create(stores, a_batch("b-0a1"))
    create(stores, a_batch("b-0a12", names=("other-7",)), events=2)
    create(stores, a_batch("b-0c", names=("third-8",)), events=2)
    assert stores.batches.named("B-0A1").batch.batch_id == "b-0a1", "a whole id wins over a longer one"
    assert stores.batches.named(" b-0c ").executions[0].execution_id == "third-8"
    for name, says in (("b-0a", "more than one"), ("b-9", "no batch"), ("", "no batch"), ("%", "no batch")):
        with pytest.raises(NotFoundError, match=says):
            stores.batches.named(name)


def test_exceptions_are_stored_with_the_rejections_or_not_at_all(stores: AnyStores) -> None:
    create(stores)
    before = stores.batches.members("b-1").executions
    exceptions = [
        FindingException(
            exception_id=f"e-{each.execution_id}",
            execution_id=each.execution_id,
            finding=each.finding,
            owner=ANALYST,
            reason="needed",
            granted_at=NOW,
            until=NOW + timedelta(days=3),
        )
        for each in before
    ]
    savings = [(each, each.moved(PlaybookStatus.REJECTED, ended_at=NOW)) for each in before]
    with pytest.raises(CountersignError):
        stores.batches.save_all(savings, [*[an_event()] * 3, unwritable()], exceptions=exceptions)
    assert stores.exceptions.open() == []
    stores.batches.save_all(savings, [an_event()] * 4, exceptions=exceptions)
    assert [each.exception_id for each in stores.exceptions.open()] == ["e-exec-1", "e-exec-2", "e-exec-3"]
    assert stores.exceptions.holding(before[1].finding.fingerprint, NOW) is not None
