"""What is counted while the bot works, for `GET /metrics`. Each label takes few values, all of them ours; none is a secret or a name.

docs/operations.md lists them and says what to be woken by.
"""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from slack_bolt import BoltRequest, BoltResponse

from handlers.door import FAILED, NOT_OURS, Answering, Door
from remediation.states import PlaybookStatus

_KINDS = {
    "block_actions": "action",
    "view_submission": "view",
    "block_suggestion": "options",
    "event_callback": "event",
}
_SOON_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)
_LATER_S = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900)


class Metrics:
    """The counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._acknowledged = Histogram(
            "countersign_acknowledgement_seconds",
            "How long Slack waited for the acknowledgement of a request.",
            ["kind", "outcome"],
            registry=self.registry,
            buckets=_SOON_S,
        )
        self._answered = Histogram(
            "countersign_answer_seconds",
            "How long a person waited for the answer to what they asked for.",
            ["kind", "outcome"],
            registry=self.registry,
            buckets=_LATER_S,
        )
        self._slack_calls = Counter(
            "countersign_slack_calls",
            "Calls of Slack's Web API by how they ended.",
            ["method", "outcome"],
            registry=self.registry,
        )
        self._moves = Counter(
            "countersign_execution_moves",
            "Executions that came into a state.",
            ["state"],
            registry=self.registry,
        )

    def acknowledged(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a request of Slack's."""
        self._acknowledged.labels(kind, outcome).observe(seconds)

    def answered(self, kind: str, outcome: str, seconds: float) -> None:
        """Count an answered request; see `handlers.services.Answered`."""
        self._answered.labels(kind, outcome).observe(max(0.0, seconds))

    def slack_called(self, method: str, outcome: str) -> None:
        """Count a call of Slack's Web API; see `handlers.slack_client.Observe`."""
        self._slack_calls.labels(method, outcome).inc()

    def moved(self, state: PlaybookStatus) -> None:
        """Count an execution that came into a state."""
        self._moves.labels(state.value.lower()).inc()


class MeteredApp(Door):
    """A Bolt app that counts what it is asked, by whichever way Slack comes in."""

    def __init__(self, *, metrics: Metrics, signing_secret: str | None) -> None:
        super().__init__(signing_secret=signing_secret)
        self._metrics = metrics

    def answer_unsigned(self, body: bytes) -> BoltResponse:
        """Return what to answer; see `Door.answer_unsigned`."""
        answer = super().answer_unsigned(body)
        self._metrics.acknowledged("other", _outcome(answer), 0.0)
        return answer

    def finish(self, answering: Answering) -> BoltResponse:
        """Return what to answer; see `Door.finish`."""
        answer = super().finish(answering)
        seconds = time.perf_counter() - answering.begun
        self._metrics.acknowledged(_kind(answering.request), _outcome(answer), seconds)
        return answer


def _kind(request: BoltRequest) -> str:
    body: object = request.body
    if not isinstance(body, Mapping):  # anybody may send anything
        return "other"
    return "command" if "command" in body else _KINDS.get(str(body.get("type")), "other")


def _outcome(answer: BoltResponse) -> str:
    if answer.status >= FAILED:
        return "failed"
    return "refused" if answer.status >= NOT_OURS else "ok"
