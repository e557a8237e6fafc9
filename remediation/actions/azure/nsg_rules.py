"""Security rules of a network security group as data: which let the Internet in, and what closing them means.

A rule here is the mapping of property names to values that Azure Resource Manager writes, without what is read-only.
"""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Rule = Mapping[str, object]

# Everything that a rule says, in Azure's own names; what else the SDK may know one day stays as it is in Azure.
FIELDS = (
    "access",
    "description",
    "destinationAddressPrefix",
    "destinationAddressPrefixes",
    "destinationApplicationSecurityGroups",
    "destinationPortRange",
    "destinationPortRanges",
    "direction",
    "priority",
    "protocol",
    "sourceAddressPrefix",
    "sourceAddressPrefixes",
    "sourceApplicationSecurityGroups",
    "sourcePortRange",
    "sourcePortRanges",
)
INTERNET = "Internet"
ANY = "*"
_OPEN_WORDS = {ANY, "any", INTERNET.casefold()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which rules are meant: those that cover one of `ports` (none: all) by `protocol` (None: any)."""

    ports: tuple[int, ...] = ()
    protocol: str | None = None


def read_rule(properties: Mapping[str, object]) -> dict[str, object]:
    """Return what a rule says. Azure spells an absent list as an empty one; here both are None."""
    return {field: properties.get(field) or None for field in FIELDS}


def lets_internet_in(rule: Rule, question: Question) -> bool:
    """Tell whether a rule allows anybody on the Internet in, by what the question asks about."""
    return (
        _is(rule, "direction", "Inbound")
        and _is(rule, "access", "Allow")
        and any(map(is_open, sources_of(rule)))
        and _has_protocol(rule, question.protocol)
        and _covers(rule, question.ports)
    )


def close(rule: Rule, allowed: Sequence[str]) -> dict[str, object]:
    """Return a rule that no longer lets the Internet in.

    The sources that are not open stay, and `allowed` joins them. Where nothing would remain, the rule denies the Internet
    instead: it is not deleted, and not left without a source, which would mean any. Traffic from inside the network then is up to
    the rules after it, as if this one were not there.
    """
    kept = [source for source in sources_of(rule) if not is_open(source)]
    sources = list(dict.fromkeys([*kept, *allowed]))
    if not sources:
        return {**rule, "access": "Deny", **_spell_sources([INTERNET])}
    return {**rule, **_spell_sources(sources)}


def sources_of(rule: Rule) -> list[str]:
    """Return a rule's source prefixes, wherever they stand. Application security groups are none: they are inside."""
    one, several = rule.get("sourceAddressPrefix"), rule.get("sourceAddressPrefixes")
    return [*([str(one)] if one else []), *(map(str, several) if isinstance(several, list) else [])]


def is_open(source: str) -> bool:
    """Tell whether a prefix means everybody: `*`, the Internet's tag, or a network of length 0."""
    if source.casefold() in _OPEN_WORDS:
        return True
    try:
        return ipaddress.ip_network(source, strict=False).prefixlen == 0
    except ValueError:
        return False  # another service tag


def _spell_sources(sources: list[str]) -> dict[str, object]:
    """Spell sources as Azure wants them: one prefix, or a list of several."""
    if len(sources) == 1:
        return {"sourceAddressPrefix": sources[0], "sourceAddressPrefixes": None}
    return {"sourceAddressPrefix": None, "sourceAddressPrefixes": sources}


def _is(rule: Rule, field: str, word: str) -> bool:
    return str(rule.get(field)).casefold() == word.casefold()


def _has_protocol(rule: Rule, protocol: str | None) -> bool:
    return protocol is None or _is(rule, "protocol", ANY) or _is(rule, "protocol", protocol)


def _covers(rule: Rule, ports: tuple[int, ...]) -> bool:
    return not ports or any(first <= port <= last for first, last in _port_ranges(rule) for port in ports)


def _port_ranges(rule: Rule) -> Iterator[tuple[int, int]]:
    one, several = rule.get("destinationPortRange"), rule.get("destinationPortRanges")
    for text in [*([str(one)] if one else []), *(map(str, several) if isinstance(several, list) else [])]:
        first, _, last = text.partition("-")
        # What cannot be read counts as all ports: a rule is rather shown once too often than missed.
        yield (
            (int(first), int(last or first))
            if first.isdecimal() and (last or first).isdecimal()
            else (0, 65535)
        )
