"""One thread per key."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from handlers.locks import KeyedLocks


def test_one_at_a_time_per_key() -> None:
    locks, inside, most = KeyedLocks(), 0, 0

    def work(_: int) -> None:
        nonlocal inside, most
        with locks.holding("a"):
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.002)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == 1
    assert len(locks) == 0, "nothing is kept"


def test_other_keys_do_not_wait() -> None:
    locks = KeyedLocks()
    with locks.holding("a"), ThreadPoolExecutor(1) as pool:

        def enter() -> bool:
            with locks.holding("b"):
                return True

        assert pool.submit(enter).result(timeout=5)


def test_a_key_is_let_go_after_a_failure() -> None:
    locks = KeyedLocks()
    with suppress(ZeroDivisionError), locks.holding("a"):
        _ = 1 / 0
    assert len(locks) == 0
