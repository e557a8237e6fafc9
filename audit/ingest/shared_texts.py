"""What many findings say alike, told once: what a check is about, what to do, which controls it is for.

That is nine tenths of what a scanner writes about a finding.
"""

from collections.abc import Mapping
from typing import Final, TypedDict

import orjson

from audit.finding_fields import read_compliance
from audit.findings import Finding

MOST_TEXTS: Final = 2000
"""A report whose findings hardly ever say the same gains nothing, and whoever reads it holds that many at a time."""

_MOST_CHARACTERS: Final = 4_000_000
_WORTH_SHARING: Final = 100


class _Texts(TypedDict, total=False):
    description: str
    remediation: str
    compliance: Mapping[str, tuple[str, ...]]


class SharedTexts:
    """Numbers the texts of a report while its findings stream by."""

    def __init__(self) -> None:
        # The texts are kept with their number, so that no other controls get the identity of these.
        self._known: dict[tuple[str, str, int], tuple[int, _Texts]] = {}
        self._characters = 0
        self._new: list[tuple[int, bytes]] = []

    def number_of(self, finding: Finding) -> int | None:
        """Return the number of a finding's texts; None where they have to stay with it."""
        controls = read_compliance(finding.compliance)
        key = finding.description, finding.remediation, id(controls) if controls else 0
        if known := self._known.get(key):
            return known[0]
        texts = _Texts(description=finding.description, remediation=finding.remediation, compliance=controls)
        return self._add(key, texts)

    def take_new(self) -> list[tuple[int, bytes]]:
        """Return the texts that came up since the last time: number, and the part of a finding's dictionary that they are as JSON."""
        new, self._new = self._new, []
        return new

    def _add(self, key: tuple[str, str, int], texts: _Texts) -> int | None:
        if len(self._known) == MOST_TEXTS or self._characters > _MOST_CHARACTERS:
            return None
        try:
            body = orjson.dumps({name: text for name, text in texts.items() if text})
        except orjson.JSONEncodeError:  # half of a surrogate pair: the finding itself is about to be refused
            return None
        if len(body) < _WORTH_SHARING:
            return None
        number = len(self._known) + 1
        self._known[key] = number, texts
        self._characters += len(body)
        self._new.append((number, body))
        return number
