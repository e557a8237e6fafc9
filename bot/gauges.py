"""How things stand, read when somebody asks for `/metrics`: queues, the sweep, the trail, what waits for people."""

from collections import Counter
from collections.abc import Iterable, Iterator

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audit.errors import CountersignError
from audit.findings import Severity
from audit.ports import LATEST
from bot.worker import Worker
from exporters.schedules import Schedule
from storage import Stores

log = structlog.get_logger()


class StateOfAffairs(Collector):
    """Gauges of the worker and of the database. What cannot be read is left out, so that its absence can wake somebody."""

    def __init__(self, stores: Stores, worker: Worker) -> None:
        self._stores = stores
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Yield all gauges."""
        yield from self._worker_gauges()
        try:
            yield from self._stored()
        except CountersignError as error:
            log.warning("stored state not measured", error=str(error))

    def describe(self) -> Iterable[Metric]:
        """Name nothing ahead: to ask would read the database at the start."""
        return ()

    def _worker_gauges(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "countersign_lane_depth", "Work that waits or is being done.", labels=["lane"]
        )
        age = GaugeMetricFamily(
            "countersign_lane_oldest_seconds", "How long the oldest of it has been there.", labels=["lane"]
        )
        for lane, load in self._worker.loads().items():
            depth.add_metric([lane], load.depth)
            age.add_metric([lane], load.oldest_s)
        yield depth
        yield age
        yield _gauge(
            "countersign_sweep_age_seconds", "Since the last complete sweep.", self._worker.sweep_age_s
        )

    def _stored(self) -> Iterator[Metric]:
        head = self._stores.trail.head()
        yield _gauge(
            "countersign_trail_head", "The number of the trail's newest entry.", head.seq if head else 0
        )
        states = GaugeMetricFamily("countersign_executions", "Executions by state.", labels=["state"])
        for state, count in self._stores.executions.count_by_state().items():
            states.add_metric([state.value.lower()], count)
        yield states
        yield self._schedules()
        reports = self._stores.reports
        if not reports.list_reports(1):
            return
        summary = reports.header(LATEST).summary
        failing = GaugeMetricFamily(
            "countersign_report_findings", "Failing findings of the newest report.", labels=["severity"]
        )
        for severity in Severity:
            name = severity.value.lower()
            failing.add_metric([name], int(str(summary.get(name) or 0)))
        yield failing

    def _schedules(self) -> Metric:
        """Count schedules by how they fare, the absent words too, so that a threshold has something to look at."""
        counts = Counter({"active": 0, "failing": 0, "paused": 0})
        counts.update(_word(schedule) for schedule in self._stores.schedules.all())
        family = GaugeMetricFamily("countersign_schedules", "Schedules by how they fare.", labels=["state"])
        for word, count in counts.items():
            family.add_metric([word], count)
        return family


def _word(schedule: Schedule) -> str:
    if not schedule.is_active:
        return "paused"
    return "failing" if schedule.failures else "active"


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=value)
