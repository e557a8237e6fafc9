"""Faults a test may order: the next calls of a method fail, wait, or lose their connection."""

import threading
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Fault:
    """How the next `times` calls of `method` (`*`: any) misbehave.

    `error` is answered as `{"ok": false, "error": …}`; `status` is the HTTP status (429 adds
    `Retry-After: retry_after`), `page` what is answered with it instead of JSON; `delay_s` waits first and then goes on
    normally, `until` does so for an event of the test's; `late_s` lets the call have its effect and waits before the answer, `late_until` does
    so for an event; `drop` cuts the
    connection before the call has any effect, `drop_after` afterwards: the bot cannot know. `after` lets so many
    calls of the method pass first.
    """

    method: str
    times: int = 1
    status: int | None = None
    retry_after: int | None = None
    error: str | None = None
    page: str | None = None
    delay_s: float = 0.0
    late_s: float = 0.0
    until: threading.Event | None = None
    late_until: threading.Event | None = None
    drop: bool = False
    drop_after: bool = False
    after: int = 0


@dataclass
class Faults:
    """The orders still open; each call of the bot takes at most one."""

    _open: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str = "*", times: int = 1, **how: object) -> None:
        """Order a fault, e.g. `add("chat.update", times=2, status=429, retry_after=1)`; see `Fault`."""
        with self._lock:
            self._open.append(Fault(method, times, **how))  # type: ignore[arg-type]

    def clear(self) -> None:
        with self._lock:
            self._open.clear()

    @property
    def are_open(self) -> bool:
        """Tell whether anything is still to go wrong."""
        with self._lock:
            return bool(self._open)

    def take(self, method: str) -> Fault | None:
        """The first open fault for this method that is due, counted down; None when the call should succeed."""
        with self._lock:
            for place, fault in enumerate(self._open):
                if fault.method not in ("*", method):
                    continue
                if fault.after:
                    self._open[place] = replace(fault, after=fault.after - 1)
                else:
                    left = replace(fault, times=fault.times - 1)
                    self._open[place : place + 1] = [left] if left.times else []
                    return fault
        return None
