import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from audit.errors import InputError
from storage.turns import MOST_URGENT_IN_A_ROW, Turns

PATIENCE_S = 10


def wait_until(turns: Turns, waiting: int) -> None:
    pause = threading.Event()
    while len(turns._urgent) + len(turns._others) < waiting:
        pause.wait(0.001)


def test_turns_go_in_order_and_the_urgent_first() -> None:
    turns, order = Turns(), list[str]()

    def write(name: str, *, urgent: bool = False) -> None:
        with turns.taken(urgent=urgent):
            order.append(name)

    with ThreadPoolExecutor(4) as pool:
        with turns.taken():
            asked: list[Future[None]] = []
            for name, urgent in (("sweep", False), ("draw", False), ("click", True), ("command", True)):
                asked.append(pool.submit(write, name, urgent=urgent))
                wait_until(turns, len(asked))
        for each in asked:
            each.result(PATIENCE_S)
    assert order == ["click", "command", "sweep", "draw"]


def test_the_urgent_do_not_starve_the_others() -> None:
    turns, order = Turns(), list[str]()

    def write(name: str) -> None:
        with turns.taken(urgent=name == "click"):
            order.append(name)

    most = MOST_URGENT_IN_A_ROW
    with ThreadPoolExecutor(most + 4) as pool:
        with turns.taken():
            asked: list[Future[None]] = []
            for name in ["sweep", "sweep", *["click"] * (most + 2)]:
                asked.append(pool.submit(write, name))
                wait_until(turns, len(asked))
        for each in asked:
            each.result(PATIENCE_S)
    assert order == [*["click"] * most, "sweep", "click", "click", "sweep"]


def test_a_thread_may_take_its_turn_again() -> None:
    turns = Turns()
    with turns.taken(), turns.taken():
        pass
    with ThreadPoolExecutor(1) as pool:
        with turns.taken():
            asked = pool.submit(take_and_tell, turns)
            wait_until(turns, 1)
        assert asked.result(PATIENCE_S)


def take_and_tell(turns: Turns) -> bool:
    with turns.taken():
        return True


def test_one_at_a_time_also_after_an_error() -> None:
    turns, inside, most = Turns(), 0, 0

    def write(number: int) -> None:
        nonlocal inside, most
        with suppress(InputError), turns.taken(urgent=bool(number % 2)):
            inside += 1
            most = max(most, inside)
            inside -= 1
            refuse_fifth(number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(400)))
    assert (inside, most) == (0, 1)


def refuse_fifth(number: int) -> None:
    if number % 5 == 0:
        raise InputError("refused")
