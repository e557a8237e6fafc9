"""A playbook with a step of every kind to die in."""

import shutil
from pathlib import Path
from typing import Any

from remediation.actions.manual import ByHand
from remediation.actions.notification import Notify
from remediation.actions.registry import ActionRegistry
from remediation.actions.script import RunScript
from remediation.actions.script_folder import ScriptFolder
from remediation.playbook import RemediationPlaybook
from tests.fakes.switches import Switch
from tests.faults.dying import Fate
from tests.faults.rows import FileBoard, LocalCase
from tests.faults.wholes import Whole, WholeStage


class EveryKindCase(LocalCase):
    """Two switches, a message before and after them, a script and a person's step."""

    @property
    def path(self) -> Path:
        return self.folder / "board.json"

    def set_state(self, name: str) -> None:
        self.path.write_text('{"door": "open", "window": "open", "hatch": "open"}')
        script = self.folder / "scripts" / "count.sh"
        script.parent.mkdir(mode=0o755, exist_ok=True)
        script.write_text("#!/bin/sh\ncat > /dev/null\n")
        script.chmod(0o755)

    def read_raw(self) -> object:
        return self.path.read_text()


class EveryKindStage(WholeStage):
    """A playbook with a step of every kind, one of them for other findings. `script` says whether one of them is a script."""

    def __init__(self, folder: Path, empty: Path, *, script: bool) -> None:
        folder.mkdir(exist_ok=True)
        shutil.rmtree(folder / "scripts", ignore_errors=True)
        self.has_script = script
        super().__init__(Whole("EVERY-KIND", EveryKindCase), EveryKindCase(folder), folder, empty)

    def book(self) -> RemediationPlaybook:
        book = RemediationPlaybook("EVERY-KIND", "Every kind", "Has them all.", "Network", "HIGH")
        message = {"type": "slack", "channel": "#alerts", "message": "Begins"}
        book.add_action("say_it_begins", "notification", message)
        book.add_action("close_door", "switch", {"name": "door", "to": "closed"})
        book.add_action(
            "close_hatch", "switch", {"name": "hatch", "to": "closed"}, condition="finding.severity == 'LOW'"
        )
        if self.has_script:
            book.add_action("count", "script", {"script": "count.sh"})
        book.add_action("look", "manual", {"steps": ["Look at it."]})
        book.add_action("close_window", "switch", {"name": "window", "to": "closed"})
        book.add_action("say_it_is_done", "notification", {**message, "message": "Done"})
        return book

    def registry(self) -> ActionRegistry:
        return self.mortal(Fate(self.folder / "nobody", kills=False))

    def mortal(self, fate: Fate) -> ActionRegistry:
        class Channel:
            def post(self, channel: str, text: str) -> str:
                fate.write(f"message {text}", lambda: None)
                return "1.1"

        class MortalScript(RunScript):
            def apply(self, plan: Any) -> tuple[str, ...]:
                done: tuple[str, ...] = fate.write("script", lambda: RunScript.apply(self, plan))
                return done

        assert isinstance(self.case, EveryKindCase)
        return ActionRegistry(
            [
                Switch(FileBoard(self.case.path, fate)),
                Notify(Channel(), {}),
                MortalScript(ScriptFolder(folder=self.folder / "scripts")),
                ByHand(),
            ]
        )
