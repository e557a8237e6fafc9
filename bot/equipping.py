"""The configuration's `notifications:`, `scripts:` and `raw_calls:` sections: what actions beside the clouds' own may use."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)

from remediation.actions.apprise_targets import SCHEMAS, schema_of
from remediation.actions.script_folder import ScriptFolder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
RawCallName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}:[a-z0-9-]{1,100}$")]
User = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]


def _plain_names(targets: object) -> object:
    """Refuse names that are none, without repeating them: one mistaken for its value may be a secret."""
    if isinstance(targets, Mapping) and not all(_NAME.fullmatch(str(name)) for name in targets):
        raise ValueError("each entry is a name, such as oncall, and the URL it stands for")
    return targets


def _known_schema(url: SecretStr) -> SecretStr:
    """Refuse what Apprise would not send over a network, without repeating any of it."""
    if schema_of(url.get_secret_value()) not in SCHEMAS:
        raise ValueError(f"the URL has to begin with one of {', '.join(sorted(SCHEMAS))} and ://")
    return url


Targets = Annotated[
    dict[str, Annotated[SecretStr, AfterValidator(_known_schema)]],
    BeforeValidator(_plain_names),
]


class ScriptsSection(BaseModel):
    """Scripts that playbooks may run. Without this section there are none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(description="The only folder that scripts are run from; relative to this file.")
    user: User | None = Field(
        default=None, description="The user that scripts run as, where the bot runs as root."
    )

    def build(self, beside: Path) -> ScriptFolder:
        """Return the folder as remediation knows it."""
        return ScriptFolder(folder=(beside / self.folder).absolute(), user=self.user or "")
