"""Clients that send a request once, made of clients that others handed in."""

import copy
from typing import Any

from audit.errors import Cause, PermanentActionError


def sent_once(client: Any) -> Any:  # noqa: ANN401 - botocore makes client classes at run time
    """Return a client like another one that sends no request a second time; the other one stays as it is.

    Whoever handed it in chose how often it repeats what was not answered, and how it signs and where it sends to, so only the first is
    taken away. What is no client of botocore's repeats nothing that we know of.

    Raises:
        PermanentActionError: this botocore repeats in a way that cannot be taken away.
    """
    try:
        from botocore.client import BaseClient
    except ImportError:
        return client
    if not isinstance(client, BaseClient):
        return client
    endpoint: Any = copy.copy(
        client.__dict__.get("_endpoint")
    )  # botocore has no other way to a client's retries
    if not hasattr(endpoint, "_needs_retry"):
        raise PermanentActionError(
            "This version of botocore may repeat a call whose answer was lost", cause=Cause.NOT_INSTALLED
        )
    endpoint._needs_retry = _never  # noqa: SLF001 - as above
    once = object.__new__(type(client))
    once.__dict__.update(client.__dict__, _endpoint=endpoint)
    return once


def _never(*_: object, **__: object) -> bool:
    return False
