"""The live panels: read about once a second while somebody looks, and compared with the last reading."""

import threading
from dataclasses import asdict, dataclass, field

from bot.sandbox.pagesetup import Panel, PanelRow
from bot.sandbox.shapes import Json


@dataclass
class LivePanels:
    """The last reading of every panel. Readings are made one at a time, from any thread."""

    panels: tuple[Panel, ...]
    _rows: dict[str, list[Json]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> bool:
        """Read every panel again; true when anything differs from the last reading."""
        with self._lock:
            fresh = {panel.id: _rows_of(panel) for panel in self.panels}
            is_news, self._rows = fresh != self._rows, fresh
            return is_news

    def run(self, panel_id: str, action_id: str) -> None:
        """Run a panel's action, then read again; raises LookupError when there is no such action."""
        for panel in self.panels:
            for action in panel.actions:
                if (panel.id, action.id) == (panel_id, action_id):
                    action.run()
                    self.read()
                    return
        raise LookupError(f"no action {action_id} in the panel {panel_id}")

    def to_json(self) -> list[Json]:
        """The panels as the page shows them, read now if they never were."""
        if self.panels and not self._rows:
            self.read()
        return [_panel_json(panel, self._rows[panel.id]) for panel in self.panels]


def _rows_of(panel: Panel) -> list[Json]:
    """The panel's rows; one that says so when it cannot be read, for a demo must go on."""
    try:
        return [asdict(row) for row in panel.read()]
    except Exception as error:  # noqa: BLE001 - whatever the callable raises is shown, not hidden
        return [asdict(PanelRow("Cannot be read", type(error).__name__, str(error)[:200], "bad"))]


def _panel_json(panel: Panel, rows: list[Json]) -> Json:
    actions = [{"id": a.id, "label": a.label, "description": a.description} for a in panel.actions]
    return {"id": panel.id, "title": panel.title, "tab": panel.tab, "rows": rows, "actions": actions}
