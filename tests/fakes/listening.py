"""Another process on a bench's store, that listens to who is alive; its seconds pass by hand."""

from dataclasses import replace
from datetime import timedelta

from remediation.journal import InHand
from remediation.watch import LONGEST_LOOK_S, Watch
from tests.fakes.switches import Bench


class Listener:
    """Looks at the store's signs of life as a sweep does, and may take over what is left."""

    def __init__(self, bench: Bench, owner: str = "boot-other") -> None:
        self.bench, self.owner, self._seconds = bench, owner, 0.0
        self.watch = Watch(ticks=lambda: self._seconds)
        journal = replace(bench.runner.journal, owner=owner, watch=self.watch)
        self.runner = replace(bench.runner, journal=journal, in_hand=InHand())

    def look(self) -> None:
        self.bench.store.beat(self.owner, self.bench.now)
        self.watch.look(self.bench.store.heard())

    def pause(self, span: timedelta) -> None:
        """Let seconds pass in which nothing is looked at."""
        self._seconds += span.total_seconds()

    def listen(self, span: timedelta, *, beating: str = "") -> None:
        """Look every few seconds, for so long; `beating` is a process that says all the while that it is alive."""
        self.look()
        step = timedelta(seconds=LONGEST_LOOK_S)
        for _ in range(-(-span // step)):
            self.bench.now += step
            self.pause(step)
            if beating:
                self.bench.store.beat(beating, self.bench.now)
            self.look()
