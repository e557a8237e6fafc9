"""Mail addresses: which ones we are willing to send to, and how their domains are compared.

Only bare addresses (`name@domain`): a display name can claim to be somebody else, and a list hidden in one text would
pass a check meant for one address. Source routes (`victim%elsewhere@company`, `host!name@company`) are refused too,
because an old relay would carry such a mail out of an allowed domain. RFC 5321 §4.1.2 and §4.5.3.1 give the syntax and lengths.
"""

import re
from collections.abc import Iterable

from audit.errors import ConfigError, InputError, RefusedError
from exporters.text import clip, one_line

_LOCAL = re.compile(r"[a-z0-9#$&'*+/=?^_{}~-]+(?:\.[a-z0-9#$&'*+/=?^_{}~-]+)*", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{0,62}[a-z][a-z0-9-]{0,62}(?<!-)")
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 253
_LONGEST_ADDRESS = 254
_SHOWN = 80


def to_address(text: object, *, role: str) -> str:
    """Return a bare address with its domain in lower-case ASCII form (`xn--…`).

    Args:
        text: what was given; spaces around it do not matter.
        role: what it is to the mail (`recipient`, `cc`, `reply_to`), for the error's text.

    Raises:
        InputError: it is not one plain address; the text shows it.
    """
    if not isinstance(text, str):
        raise InputError(f"{role}: an address must be text, not {type(text).__name__}")
    local, _, domain = text.strip(" ").rpartition("@")
    if len(local) > _LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        raise InputError(f"{role}: “{_shown(text)}” is not a plain address such as name@example.com")
    address = f"{local}@{to_domain(domain, role=f'{role}: “{_shown(text)}”')}"
    if len(address) > _LONGEST_ADDRESS:
        raise InputError(f"{role}: “{_shown(text)}” is longer than {_LONGEST_ADDRESS} characters")
    return address


def to_addresses(entries: str | Iterable[object] | None, *, role: str) -> tuple[str, ...]:
    """Return the addresses in the order given, each once. One text is one address.

    Raises:
        InputError: names the first that is none.
    """
    each = [entries] if isinstance(entries, str) else entries or ()
    return without_repeats(to_address(entry, role=role) for entry in each)


def without_repeats(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return each address once, whatever its case: no server we know tells `Alice@` from `alice@`."""
    first: dict[str, str] = {}
    for address in addresses:
        first.setdefault(address.lower(), address)
    return tuple(first.values())


def to_domain(text: str, *, role: str) -> str:
    """Return a domain in lower-case ASCII form.

    Python's `idna` codec follows IDNA 2003, which turns `straße.de` into `strasse.de`: somebody else's domain today. So
    a name counts only if it survives the way there and back; others can be written in their `xn--` form.

    Raises:
        InputError: it is no full domain name.
    """
    name = text.lower()
    if len(name) > _LONGEST_DOMAIN:
        raise InputError(f"{role}: the domain is too long")
    ascii_form = name if name.isascii() else _to_ascii(name, role=role)
    if not _DOMAIN.fullmatch(ascii_form) or len(ascii_form) > _LONGEST_DOMAIN:
        raise InputError(f"{role}: “{_shown(text)}” is not a full domain name")
    return ascii_form


def _to_ascii(name: str, *, role: str) -> str:
    try:
        ascii_form = name.encode("idna")
        survives = ascii_form.decode("idna") == name
    except UnicodeError:
        survives, ascii_form = False, b""
    if not survives:
        raise InputError(f"{role}: write the domain “{_shown(name)}” in its xn-- form")
    return ascii_form.decode("ascii")


def to_allowed_domains(domains: Iterable[str] | None) -> frozenset[str] | None:
    """Return the domains mail may go to; None allows all, an empty list none.

    Raises:
        ConfigError: an entry is no domain (write `example.com`; its subdomains are included).
    """
    if domains is None:
        return None
    if isinstance(domains, str):
        raise ConfigError("allowed_domains must be a list of domains")
    try:
        return frozenset(to_domain(domain, role="allowed_domains") for domain in domains)
    except InputError as error:
        raise ConfigError(str(error)) from None


def require_allowed(addresses: Iterable[str], allowed: frozenset[str] | None) -> None:
    """Check that every address lies in an allowed domain or a subdomain of one.

    Raises:
        RefusedError: names all that do not.
    """
    if allowed is None:
        return
    if outside := [address for address in addresses if not _is_within(address, allowed)]:
        raise RefusedError(
            f"mail may not go to {', '.join(outside)}: allowed are {', '.join(sorted(allowed)) or 'no domains'}. "
            "Nothing was sent."
        )


def _is_within(address: str, allowed: frozenset[str]) -> bool:
    labels = address.rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in allowed for start in range(len(labels)))


def _shown(text: str) -> str:
    return clip(one_line(text), _SHOWN)
