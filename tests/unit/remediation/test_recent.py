"""Costly values are made once however many ask, and never outlive their freshness."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from remediation.actions.recent import Recent


def always(_: object) -> bool:
    return True


def test_a_value_is_made_once_however_many_threads_ask() -> None:
    made: list[int] = []
    all_asking = threading.Barrier(8)
    recent: Recent[str, int] = Recent(room=4, is_fresh=always)

    def make() -> int:
        threading.Event().wait(0.05)  # nobody sets it: the others are let in, if they can get in
        made.append(1)
        return len(made)

    def ask(_: int) -> int:
        all_asking.wait()
        return recent.get("one", make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {1}
    assert made == [1]


def test_nobody_waits_for_the_value_of_another_key() -> None:
    recent: Recent[str, str] = Recent(room=4, is_fresh=always)
    slow, done = threading.Event(), threading.Event()

    def make_slowly() -> str:
        slow.set()
        assert done.wait(30)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(recent.get, "slow", make_slowly)
        assert slow.wait(30)
        assert recent.get("quick", lambda: "quick") == "quick"
        done.set()
        assert waiting.result() == "slow"


def test_what_is_stale_is_made_anew() -> None:
    fresh = {"old": False, "new": True}
    recent: Recent[str, str] = Recent(room=4, is_fresh=fresh.__getitem__)
    assert recent.get("key", lambda: "old") == "old"
    assert recent.get("key", lambda: "new") == "new"
    assert recent.get("key", lambda: "newer") == "new"


def test_what_cannot_be_made_is_not_kept() -> None:
    recent: Recent[str, str] = Recent(room=4, is_fresh=always)
    with pytest.raises(ZeroDivisionError):
        recent.get("key", lambda: str(1 // 0))
    assert recent.get("key", lambda: "made") == "made"


def test_there_is_room_for_those_used_last() -> None:
    recent: Recent[str, str] = Recent(room=2, is_fresh=always)
    for key in ("a", "b", "a", "c"):
        recent.get(key, lambda key=key: f"first {key}")  # type: ignore[misc]
    assert len(recent) == 2
    assert [recent.get(key, lambda: "again") for key in ("a", "c", "b")] == ["first a", "first c", "again"]
