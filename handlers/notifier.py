"""The voice of remediation: says that something changed, and lets a worker draw it."""

from dataclasses import dataclass

from remediation.ports import Dispatcher


@dataclass(frozen=True, slots=True)
class DispatchingNotifier:
    """A `Notifier` that queues the drawing, so that no transition waits for Slack."""

    dispatcher: Dispatcher

    def changed(self, execution_id: str) -> None:
        """Have the card drawn; see `Notifier.changed`."""
        self.dispatcher.submit("draw", execution_id)
