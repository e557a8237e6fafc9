"""Asking a live account: each call on its own, so that what one may not read says so and stops nothing else."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from audit.collect.facts import Unread
from audit.errors import ActionError, Cause

PATIENCE_S: Final = (2.0, 8.0, 20.0)
"""How long to wait where AWS says that it is asked too often; the SDK has tried a few times by then."""


class Clients(Protocol):
    """Hands out a client for a service in a region; an empty region is any."""

    def __call__(self, service: str, region: str, /) -> Any:  # noqa: ANN401 - botocore makes client classes at run time
        """Return a client.

        Raises:
            ActionError: there is no SDK, region or credential to make it with.
        """


Answer = Mapping[str, Any]
T = TypeVar("T")
Explain = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A call: which service and region, its method, what it takes, and the IAM action that allows it.

    `absent` are AWS's codes for “there is none”, which is an answer.
    """

    service: str
    method: str
    permission: str
    region: str = ""
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks AWS through clients that are handed in.

    Args:
        clients: hands out clients.
        explain: turns what the SDK raises inside its block into an `ActionError`; is told what is being done.
        sleep: waits; tests hand in one that does not.
    """

    clients: Clients
    explain: Explain
    sleep: Callable[[float], None] = time.sleep

    def read(self, ask: Ask, **arguments: object) -> Answer | None:
        """Return the answer; None where there is none of what was asked for.

        Raises:
            ActionError: it cannot be read.
        """
        return self._patiently(lambda: self._once(ask, arguments))

    def entries(self, ask: Ask, *, key: str, **arguments: object) -> list[Answer]:
        """Return the entries under a key of all pages.

        Raises:
            ActionError: a page cannot be read.
        """
        return self._patiently(lambda: self._all(ask, key, arguments))

    def value(self, ask: Ask, get: Callable[[Answer], object], **arguments: object) -> object:
        """Return what `get` takes from the answer: None where there is none, `Unread` where it cannot be read."""
        try:
            answer = self.read(ask, **arguments)
        except ActionError as error:
            return unread(error, ask)
        return None if answer is None else get(answer)

    def _patiently(self, call: Callable[[], T]) -> T:
        for pause in PATIENCE_S:
            try:
                return call()
            except ActionError as error:
                if error.cause is not Cause.THROTTLED:
                    raise
            self.sleep(pause)
        return call()

    def _all(self, ask: Ask, key: str, arguments: Mapping[str, object]) -> list[Answer]:
        with self.explain(_doing(ask)):
            pages = self._client(ask).get_paginator(ask.method).paginate(**arguments)
            return [entry for page in pages for entry in page.get(key, ())]

    def _once(self, ask: Ask, arguments: Mapping[str, object]) -> Answer | None:
        try:
            with self.explain(_doing(ask)):
                answer: Answer = getattr(self._client(ask), ask.method)(**arguments)
        except ActionError as error:
            if _code(error) in ask.absent:
                return None
            raise
        return answer

    def _client(self, ask: Ask) -> Any:  # noqa: ANN401 - see `Clients`
        return self.clients(ask.service, ask.region)


def unread(error: ActionError, ask: Ask) -> Unread:
    """Return what to say where a call failed."""
    return Unread(reason=f"{' '.join(str(error).split())}.", permission=ask.permission)


def _doing(ask: Ask) -> str:
    where = f" in {ask.region}" if ask.region else ""
    return f"{ask.method.replace('_', ' ')} of {ask.service}{where}"


def _code(error: ActionError) -> str:
    """Return AWS's own code of what the SDK raised."""
    response = getattr(error.__cause__, "response", None)
    details = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(details.get("Code", ""))
