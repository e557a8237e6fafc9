"""One case per action: what it is pointed at, and how a stranger would change or read it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import pytest

from remediation.actions.aws.clients import Access, AwsClients
from remediation.actions.clouds import Clouds
from remediation.actions.contract import Action, Params
from remediation.actions.registry import ActionRegistry
from remediation.plan import Target
from remediation.playbook import PlaybookAction


class OneClient:
    """Hands out the same client whatever is asked for."""

    def __init__(self, client: object) -> None:
        self._client = client

    def client(self, service: str, *, region: str, access: Access) -> Any:
        return self._client

    def account_id(self) -> str:
        return "123456789012"


def aws_registry(clients: AwsClients) -> ActionRegistry:
    """Return all actions, those on AWS with these clients."""
    return ActionRegistry.standard(Clouds(aws=clients))


READS = re.compile(r"^(get|list|describe|head|can|exceptions|meta)")


class ReadOnly:
    """Lets reads through to a client and fails the test on any write."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        assert READS.match(name), f"planning called {name}"
        return getattr(self._client, name)


class ActionCase(ABC):
    """Everything the contract suite needs to know about one action.

    `states` are the starting states that the suite tries, by name; `unsettled` is one of them that the action changes.
    """

    written: PlaybookAction
    states: Mapping[str, object]
    unsettled: str

    @classmethod
    @abstractmethod
    def prepare(cls, request: pytest.FixtureRequest) -> "ActionCase":
        """Make a resource for one test, with whatever fixtures that takes (`request.getfixturevalue`)."""

    @abstractmethod
    def target(self) -> Target: ...

    @abstractmethod
    def set_state(self, name: str) -> None:
        """Bring the resource into one of the named starting states, behind the action's back."""

    @abstractmethod
    def read_raw(self) -> object:
        """Read the resource without the action: all that a rollback has to restore, and what has to stay untouched."""

    @abstractmethod
    def registry(self, *, wrap: Any = None) -> ActionRegistry:
        """Return the actions on this case's back-end; `wrap`, where given, goes around each SDK client."""

    def action(self) -> tuple[Action[Any], Params]:
        step = self.registry().resolve(self.written)
        return step.action, step.params
