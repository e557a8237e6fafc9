"""When Slack takes more: it limits each method, and posting in each channel by itself, and says for how long.

Whoever meets a limit waits at the head of a queue of its own method and channel, and what comes later stands behind: other channels go
on, and in this one the order is kept (docs.slack.dev/apis/web-api/rate-limits).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from slack_sdk.errors import SlackApiError

T = TypeVar("T")
Key = tuple[str, str]
"""A method and a channel; empty where the method is about none."""

MOST_WAITING = 4
_DEFAULT_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
TOO_MANY = 429


@dataclass(slots=True, eq=False)
class _Queue:
    """Those who wait, in order, and until when; `refusal` is what Slack said last."""

    opens_at: float
    refusal: SlackApiError
    waiting: list[object] = field(default_factory=list)


class Pace:
    """The limits that Slack has told this process about, shared by all its clients. Nothing is kept once it is over and nobody waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[Key, _Queue] = {}

    def call(self, key: Key, do: Callable[[], T], *, patience_s: float) -> T:
        """Call Slack, after those who wait for the same, and again when it says that it takes more.

        Raises:
            SlackApiError: Slack refused; or it is limited for longer than `patience_s`, or too many threads wait for
                that already, and Slack was not asked.
        """
        me, until = object(), time.monotonic() + patience_s
        try:
            while True:
                self._wait(key, me, until)
                try:
                    return do()
                except SlackApiError as error:
                    if error.response.status_code != TOO_MANY:
                        raise
                    self._shut(key, me, error)
        finally:
            self._leave(key, me)

    def __len__(self) -> int:
        return len(self._queues)

    def _wait(self, key: Key, me: object, until: float) -> None:
        with self._changed:
            while (queue := self._queues.get(key)) and not self._may_go(queue, me):
                if queue.opens_at > until or (me not in queue.waiting and len(queue.waiting) >= MOST_WAITING):
                    raise _again(queue.refusal)
                if me not in queue.waiting:
                    queue.waiting.append(me)
                left = min(until, queue.opens_at if queue.waiting[0] is me else until) - time.monotonic()
                if left <= 0 and queue.waiting[0] is not me:
                    raise _again(queue.refusal)
                self._changed.wait(max(left, 0))

    @staticmethod
    def _may_go(queue: _Queue, me: object) -> bool:
        is_first = not queue.waiting or queue.waiting[0] is me
        return is_first and time.monotonic() >= queue.opens_at

    def _shut(self, key: Key, me: object, refusal: SlackApiError) -> None:
        """Note for how long nobody may call; who was told so goes before those who were not."""
        with self._changed:
            opens_at = time.monotonic() + wait_of(refusal)
            queue = self._queues.setdefault(key, _Queue(opens_at, refusal))
            queue.opens_at, queue.refusal = max(queue.opens_at, opens_at), refusal
            if me not in queue.waiting:
                queue.waiting.append(me)

    def _leave(self, key: Key, me: object) -> None:
        with self._changed:
            if queue := self._queues.get(key):
                queue.waiting = [other for other in queue.waiting if other is not me]
            self._drop_those_over()
            self._changed.notify_all()

    def _drop_those_over(self) -> None:
        """Forget limits that are over and that nobody waits for, whoever met them."""
        now = time.monotonic()
        over = [key for key, queue in self._queues.items() if not queue.waiting and now >= queue.opens_at]
        for key in over:
            del self._queues[key]


def _again(refusal: SlackApiError) -> SlackApiError:
    """Return an error of its own for each caller: one that is raised by many threads gathers all their tracebacks."""
    return SlackApiError(refusal.args[0].split("\n")[0], refusal.response)  # type: ignore[no-untyped-call]


def wait_of(refusal: SlackApiError) -> float:
    """Return how many seconds Slack asks to wait; no more than an hour, after which it can be asked again."""
    headers = {str(name).lower(): value for name, value in refusal.response.headers.items()}
    said = headers.get("retry-after", "")
    said = said[0] if isinstance(said, list) and said else said
    try:
        return min(max(0.0, float(str(said))), _LONGEST_WAIT_S)
    except ValueError:
        return _DEFAULT_WAIT_S
