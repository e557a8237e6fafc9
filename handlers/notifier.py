"""The voice of remediation: says that something changed, and lets a worker draw it."""

from dataclasses import dataclass

import structlog

from remediation.ports import Dispatcher

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DispatchingNotifier:
    """A `Notifier` that queues the drawing, so that no transition waits for Slack."""

    dispatcher: Dispatcher

    def changed(self, execution_id: str) -> None:
        """Have the card drawn, the homes too, and the outcome told; see `Notifier.changed`.

        What cannot be queued is found by the next sweep; only a home may have to wait for the next change.
        """
        try:
            self.dispatcher.submit("draw", execution_id)
            self.dispatcher.submit("tell", execution_id)
            self.dispatcher.submit("homes", "all")
        except Exception:
            log.exception("drawing not queued", execution_id=execution_id)
