"""Questions to Slack that many have at the same time, asked once for all of them.

Nobody gets an answer to a question that was put before they asked: what is decided by it has to be as Slack says now. Those who come
while a question is under way share the next one.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Put = Callable[[], Any]


@dataclass(slots=True, eq=False)
class _Question:
    put: Put
    answer: "Future[Any]" = field(default_factory=Future)


def answer_of(asked: "Future[Any]") -> Any:  # noqa: ANN401 - whatever the question returns
    """Wait for an answer and return it.

    Raises:
        Exception: what putting the question raised, without the tracebacks of all others who raise the same.
    """
    error = asked.exception()
    if error is not None:
        raise error.with_traceback(None)
    return asked.result()


class SharedReads:
    """Puts each question at most once at a time.

    Args:
        threads: how many questions are put at once that nobody's own thread puts. More than there can be: one that hangs has a thread
            to itself until it is given up, and must not keep another one from being put.
    """

    def __init__(self, threads: int) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Hashable] = set()
        self._next: dict[Hashable, _Question] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="directory")

    def begin(self, key: Hashable, put: Put) -> "Future[Any]":
        """Have a question put beside this thread, and return its answer to come."""
        question, is_mine = self._join(key, put)
        if is_mine:
            self._pool.submit(self._see_through, key, question)
        return question.answer

    def ask(self, key: Hashable, put: Put) -> Any:  # noqa: ANN401 - whatever the question returns
        """Put a question on this thread, unless others have the same one, and return the answer. Raises what putting it raised."""
        question, is_mine = self._join(key, put)
        if is_mine:
            try:
                self._answer(question)
            finally:  # where this thread is interrupted too: others wait for the next one
                if (following := self._hand_on(key)) is not None:
                    self._pool.submit(self._see_through, key, following)
        return answer_of(question.answer)

    def _join(self, key: Hashable, put: Put) -> tuple[_Question, bool]:
        """Return the question that is to be put for a thread, and whether it has to see to that itself."""
        with self._lock:
            if key not in self._under_way:
                self._under_way.add(key)
                return _Question(put), True
            return self._next.setdefault(key, _Question(put)), False

    def _see_through(self, key: Hashable, question: _Question) -> None:
        following: _Question | None = question
        while following is not None:
            self._answer(following)
            following = self._hand_on(key)

    def _hand_on(self, key: Hashable) -> _Question | None:
        """Return what has to be put next, for those who came meanwhile."""
        with self._lock:
            following = self._next.pop(key, None)
            if following is None:
                self._under_way.discard(key)
            return following

    @staticmethod
    def _answer(question: _Question) -> None:
        try:
            answer = question.put()
        except Exception as error:  # noqa: BLE001 - raised again in each thread that asked
            question.answer.set_exception(error)
        else:
            question.answer.set_result(answer)
