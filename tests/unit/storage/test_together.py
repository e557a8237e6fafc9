import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from audit.errors import CountersignError
from storage.together import Together

PATIENCE_S = 10


class Disk:
    """Commits when it is let, and refuses whatever holds the word `bad`."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def write(self, items: Sequence[str]) -> None:
        self.began.set()
        assert self.may_go_on.wait(PATIENCE_S)
        if any("bad" in item for item in items):
            raise CountersignError(f"refused among {len(items)}")
        self.commits.append(list(items))


def put_while_busy(disk: Disk, together: Together[str], items: Sequence[str]) -> list[Exception | None]:
    """Put one item, and the others while it is being written; return what each met."""
    with ThreadPoolExecutor(len(items)) as pool:
        first = pool.submit(together.put, items[0])
        assert disk.began.wait(PATIENCE_S)
        rest = [pool.submit(together.put, item) for item in items[1:]]
        until_all_wait(together, len(items))
        disk.may_go_on.set()
        return [each.exception(PATIENCE_S) for each in (first, *rest)]  # type: ignore[misc]


def until_all_wait(together: Together[str], count: int) -> None:
    arrived = threading.Event()
    while len(together._gathered) < count:
        arrived.wait(0.001)


def test_what_comes_during_a_commit_shares_the_next_one() -> None:
    disk = Disk()
    together = Together(disk.write)
    met = put_while_busy(disk, together, [f"r{number}" for number in range(20)])
    assert met == [None] * 20
    assert [len(commit) for commit in disk.commits] == [1, 19]
    assert sorted(chain(*disk.commits)) == sorted(f"r{number}" for number in range(20))


def test_one_that_cannot_be_written_spoils_nobody_elses() -> None:
    disk = Disk()
    together = Together(disk.write)
    met = put_while_busy(disk, together, ["r0", "r1", "bad", "r2", "r3"])
    assert [str(error) if error else "" for error in met] == ["", "", "refused among 1", "", ""]
    assert sorted(chain(*disk.commits)) == ["r0", "r1", "r2", "r3"]


def test_a_bug_lets_nobody_believe_that_it_was_written() -> None:
    def write(items: Sequence[str]) -> None:
        disk.write(items)
        if len(items) > 1:
            raise RuntimeError("bug")

    disk = Disk()
    together = Together(write)
    met = put_while_busy(disk, together, ["r0", "r1", "r2"])
    assert sum(isinstance(error, RuntimeError) for error in met) == 1
    assert met[0] is None
    together.put("r4")
    assert disk.commits[-1] == ["r4"]


def test_one_alone_is_written_at_once() -> None:
    disk = Disk()
    disk.may_go_on.set()
    together = Together(disk.write)
    for item in ("a", "b"):
        together.put(item)
    assert disk.commits == [["a"], ["b"]]


def test_many_threads_lose_nothing() -> None:
    disk = Disk()
    disk.may_go_on.set()
    together = Together(disk.write)
    items = [f"{'bad' if number % 7 == 0 else 'r'}{number}" for number in range(500)]

    def put(item: str) -> str:
        try:
            together.put(item)
        except CountersignError:
            return ""
        return item

    with ThreadPoolExecutor(50) as pool:
        kept = [item for item in pool.map(put, items) if item]
    assert sorted(kept) == sorted(item for item in items if "bad" not in item)
    assert sorted(chain(*disk.commits)) == sorted(kept)
