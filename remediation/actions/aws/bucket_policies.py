"""Whether a bucket's policy lets a service of AWS deliver logs into it.

Only what AWS's own guides put into such a policy counts: Allow statements for the service, with conditions on the
source, the account, the ACL and TLS. A statement with any other condition is not counted, so that a yes can be relied on.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_EQUALS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool")
_IF_EXISTS = "IfExists"
_EVERYBODY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A call that a service makes: who, what, on which ARN. `facts` holds the condition keys it carries, in lower case."""

    service: str
    action: str
    resource: str
    facts: Mapping[str, str] = field(default_factory=dict)


def allows(policy: str, delivery: Delivery) -> bool:
    """Tell whether a policy's text lets a delivery in, as far as can be told; what is no policy lets nothing in."""
    concerned = [entry for entry in _statements(policy) if _concerns(entry, delivery)]
    effects = {str(entry.get("Effect")) for entry in concerned}
    return effects == {"Allow"}


def _statements(policy: str) -> Iterator[Mapping[str, object]]:
    try:
        document = json.loads(policy)
    except ValueError:
        return
    entries = document.get("Statement") if isinstance(document, dict) else None
    yield from (entry for entry in _list(entries) if isinstance(entry, dict))


def _concerns(statement: Mapping[str, object], delivery: Delivery) -> bool:
    return (
        _is_for(statement.get("Principal"), delivery.service)
        and any(
            _matches(name.casefold(), delivery.action.casefold()) for name in _texts(statement.get("Action"))
        )
        and any(_matches(name, delivery.resource) for name in _texts(statement.get("Resource")))
        and _meets(statement.get("Condition"), delivery.facts)
    )


def _is_for(principal: object, service: str) -> bool:
    if isinstance(principal, dict):
        return service in _texts(principal.get("Service")) or _EVERYBODY in _texts(principal.get("AWS"))
    return principal == _EVERYBODY


def _meets(condition: object, facts: Mapping[str, str]) -> bool:
    if condition is None:
        return True
    if not isinstance(condition, dict):
        return False
    return all(
        isinstance(keys, dict)
        and operator.removesuffix(_IF_EXISTS) in _EQUALS
        and all(_is_met(key, values, facts) for key, values in keys.items())
        for operator, keys in condition.items()
    )


def _is_met(key: str, values: object, facts: Mapping[str, str]) -> bool:
    stated = facts.get(key.casefold())
    return stated is not None and any(_matches(value, stated) for value in _texts(values))


def _matches(pattern: str, text: str) -> bool:
    """Compare as IAM does: `*` is any run of characters, `?` any one."""
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, text, re.DOTALL) is not None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> list[str]:
    return [entry for entry in _list(value) if isinstance(entry, str)]
