"""The stores in dictionaries, for tests that are about something else.

Each class mirrors a port of `audit.ports` or `remediation.ports` and passes the same contract suite as the
database (`tests/contract/test_stores_*.py`). They may be shared between threads. `MemoryStores` ties them
together the way `storage.Stores` does.
"""

from dataclasses import dataclass, field

from exporters.schedule_memory import MemorySchedules
from tests.fakes.audience import MemoryHomePictures, MemoryHomes, MemoryOutcomes
from tests.fakes.batches import MemoryBatches, MemoryReturns
from tests.fakes.cards_and_inbox import MemoryInbox, MemoryNotices, MemoryPostings
from tests.fakes.executions import MemoryExceptions, MemoryExecutions, MemoryFinder
from tests.fakes.findings import NoRegressions, NoTracker
from tests.fakes.reports import MemoryReports
from tests.fakes.trail import MemoryAnchors, MemoryTrail


@dataclass(frozen=True)
class MemoryStores:
    """All of them, on one trail."""

    trail: MemoryTrail = field(default_factory=MemoryTrail)
    anchors: MemoryAnchors = field(init=False)
    reports: MemoryReports = field(init=False)
    executions: MemoryExecutions = field(init=False)
    finder: MemoryFinder = field(init=False)
    postings: MemoryPostings = field(init=False)
    exceptions: MemoryExceptions = field(init=False)
    inbox: MemoryInbox = field(init=False)
    notices: MemoryNotices = field(default_factory=MemoryNotices)
    schedules: MemorySchedules = field(init=False)
    tracker: NoTracker = field(default_factory=NoTracker)
    regressions: NoRegressions = field(default_factory=NoRegressions)
    homes: MemoryHomes = field(default_factory=MemoryHomes)
    home_pictures: MemoryHomePictures = field(default_factory=MemoryHomePictures)
    outcomes: MemoryOutcomes = field(init=False)
    batches: MemoryBatches = field(init=False)
    returns: MemoryReturns = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "anchors", MemoryAnchors(self.trail))
        object.__setattr__(self, "reports", MemoryReports(self.trail))
        object.__setattr__(self, "executions", MemoryExecutions(self.trail))
        object.__setattr__(self, "inbox", MemoryInbox(self.executions.owners))
        object.__setattr__(self, "outcomes", MemoryOutcomes(self.executions.by_id))
        object.__setattr__(self, "exceptions", MemoryExceptions(self.executions))
        object.__setattr__(self, "batches", MemoryBatches(self.executions, self.exceptions))
        object.__setattr__(self, "returns", MemoryReturns(self.executions, self.batches))
        object.__setattr__(self, "finder", MemoryFinder(self.executions))
        object.__setattr__(self, "postings", MemoryPostings(self.executions))
        object.__setattr__(self, "schedules", MemorySchedules(self.trail.record))
