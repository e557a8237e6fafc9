"""What the driving methods take and give, as frozen values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bot.sandbox.delivery import Ack
from bot.sandbox.records import Message, View


@dataclass(frozen=True)
class _Result(Ack):
    @classmethod
    def of(cls, ack: Ack, **more: Any) -> Self:  # noqa: ANN401 - the subclass's own fields
        """The same acknowledgement, with more to say."""
        return cls(**{**asdict(ack), **more})


@dataclass(frozen=True)
class CommandResult(_Result):
    """The acknowledgement of a slash command: `status`, `latency_s`, `body`, `error`."""


@dataclass(frozen=True)
class SubmitResult(_Result):
    """The outcome of a submitted modal: `errors` maps block_id to words; empty when it was accepted."""

    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.ok and not self.errors


@dataclass(frozen=True)
class Choice:
    """One option of an external select: its words, its value, and the line below its words."""

    text: str
    value: str
    description: str = ""


@dataclass(frozen=True)
class SuggestResult(_Result):
    """The options the bot offered for a query."""

    options: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Act:
    """One use of an interactive element; see `Driving.click`. `choices` fills inputs beside it."""

    user: str
    target: Message | View | str
    action_id: str
    value: Any = None
    block_id: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
