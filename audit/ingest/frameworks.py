"""Frameworks and their controls, the way each scanner squeezes them into texts."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

ControlLists = dict[str, list[str]]
FSBP: Final = "AWS-Foundational-Security-Best-Practices"
_CIS: Final = re.compile(
    r"CIS AWS Foundations(?: Benchmark)?,? v(\d+\.\d+)(?:\.\d+)?[/ ](\S+)", re.IGNORECASE
)
_STANDARD_NAMES: Final = {
    "aws-foundational-security-best-practices": FSBP,
    "cis-aws-foundations-benchmark": "CIS",
    "nist-800-53": "NIST-800-53",
    "nist-800-171": "NIST-800-171",
    "pci-dss": "PCI",
}
_STANDARD: Final = re.compile(r"(?:.*/)?([a-z0-9-]+)/v/(\d+(?:\.\d+)?)[\d.]*(?:/.*)?")
_UNVERSIONED: Final = frozenset({FSBP})


def from_cell(cell: str) -> ControlLists:
    """Read Prowler's column: `CIS-1.4: 1.20 | PCI-4.0: 1.3.1, 1.3.2`."""
    found: ControlLists = {}
    for part in cell.split(" | "):
        name, _, controls = part.partition(":")
        listed = [control.strip() for control in controls.split(",") if control.strip()]
        if name.strip() and listed:
            found[name.strip()] = listed
    return found


def from_prowler_requirements(requirements: Iterable[str]) -> ControlLists:
    """Read what Prowler writes into ASFF: a framework's name without spaces, then its controls.

    Prowler cuts such a text at 64 characters, so that the last control of a long one may be its beginning only.
    """
    found: ControlLists = defaultdict(list)
    for requirement in requirements:
        name, *controls = requirement.split()
        found[name] += controls
    return {name: controls for name, controls in found.items() if controls}


def from_requirements(requirements: Iterable[str]) -> ControlLists:
    """Read Security Hub's: `NIST.800-53.r5 AC-4`, `CIS AWS Foundations Benchmark v1.4.0/2.1.5`.

    CIS for AWS is given the name that Prowler gives it (`CIS-1.4`), so that both are one line of the matrix.
    """
    found: ControlLists = defaultdict(list)
    for requirement in requirements:
        name, control = _split(requirement)
        if name and control not in found[name]:
            found[name].append(control)
    return dict(found)


def _split(requirement: str) -> tuple[str, str]:
    if cis := _CIS.fullmatch(requirement):
        return f"CIS-{cis[1]}", cis[2]
    name, separator, control = requirement.rpartition("/")
    if not separator or " " in control:
        name, _, control = requirement.rpartition(" ")
    return name.strip(), control.strip()


def standard_name(standard: str) -> str:
    """Return a standard's name: `CIS-1.2` for `ruleset/cis-aws-foundations-benchmark/v/1.2.0`, as it is if unknown."""
    if not (found := _STANDARD.fullmatch(standard)):
        return ""
    name = _STANDARD_NAMES.get(found[1], found[1])
    return name if name in _UNVERSIONED else f"{name}-{found[2]}"


def join(*several: ControlLists) -> ControlLists:
    """Return all of them as one, each control once."""
    joined: dict[str, dict[str, None]] = defaultdict(dict)
    for controls in several:
        for name, ids in controls.items():
            joined[name].update(dict.fromkeys(ids))
    return {name: list(ids) for name, ids in joined.items()}
