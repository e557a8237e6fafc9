"""A finding: one thing a scanner says about one resource.

The specification passes findings around as plain dictionaries, so that shape (`FindingDict`) is the one
interchange between packages; `Finding` is the same thing checked, frozen and typed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NotRequired, Self, TypedDict

import orjson

from audit.errors import InputError
from audit.finding_fields import read_compliance, read_instant, read_required, read_texts


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFO = "INFO"

    @property
    def rank(self) -> int:
        """Return 0 for the worst, rising as it gets milder: sort by it."""
        return _RANKS[self]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a severity word of any scanner, in any case.

        Raises:
            InputError: the word is no severity.
        """
        word = text.strip().upper()
        try:
            return cls(_SEVERITY_WORDS.get(word, word))
        except ValueError:
            raise InputError(f"{text[:40]!r} is not a severity ({', '.join(cls)})") from None


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SEVERITY_WORDS = {
    "INFORMATIONAL": "INFO",
    "INFORMATION": "INFO",
    "NONE": "INFO",
    "MODERATE": "MEDIUM",
    "FATAL": "CRITICAL",
    "DANGER": "HIGH",
    "WARNING": "MEDIUM",
}


class FindingStatus(StrEnum):
    """What the scanner says. `MANUAL` means that a person has to look."""

    FAIL = "FAIL"
    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    MANUAL = "MANUAL"


class FindingDict(TypedDict):
    """A finding as the specification shows it: its eight columns first, then where it came from."""

    id: str
    title: str
    severity: str
    category: str
    resource: str
    description: str
    remediation: str
    status: str
    handle: NotRequired[str]
    check_id: NotRequired[str]
    resource_type: NotRequired[str]
    provider: NotRequired[str]
    account_id: NotRequired[str]
    region: NotRequired[str]
    service: NotRequired[str]
    evidence: NotRequired[str]
    reference_url: NotRequired[str]
    muted: NotRequired[bool]
    observed_at: NotRequired[str]
    compliance: NotRequired[dict[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding, checked.

    `resource` is the cloud's own identifier (an ARN, a self link, an ARM id). `evidence` is the scanner's
    sentence about this very resource. `compliance` maps a framework to the controls it names, and may be shared with other
    findings. `muted` means
    that somebody decided upstream not to count it. Times are aware UTC.
    """

    id: str
    title: str
    severity: Severity
    category: str = ""
    resource: str = ""
    description: str = ""
    remediation: str = ""
    status: FindingStatus = FindingStatus.FAIL
    check_id: str = ""
    resource_type: str = ""
    provider: str = ""
    account_id: str = ""
    region: str = ""
    service: str = ""
    evidence: str = ""
    reference_url: str = ""
    muted: bool = False
    observed_at: datetime | None = None
    compliance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether this fails and nobody decided not to count it."""
        return self.status is FindingStatus.FAIL and not self.muted

    @property
    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits that stay the same from report to report.

        Taken over what the finding is about (provider, check, resource, account, region), not over the scanner's own id, which
        changes between versions. A finding that names neither check nor resource falls back to that id.
        """
        about = (self.provider, self.check_id, self.resource, self.account_id, self.region)
        key = about if self.check_id and self.resource else (*about, self.id)
        return hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def handle(self) -> str:
        """Return the short name that people type: `f-` and the fingerprint's first eight digits."""
        return short_name(self.fingerprint)

    def to_dict(self) -> FindingDict:
        """Return the specification's dictionary; empty optional fields are left out."""
        record = self._without_compliance()
        if self.compliance:
            record["compliance"] = {name: list(controls) for name, controls in self.compliance.items()}
        return record

    def to_json(self, handle: str, *, is_bare: bool = False) -> bytes:
        """Return what `to_record` returns as JSON, for a handle that is known already; twice as fast.

        `is_bare` leaves description, remediation and compliance empty where they stand, for whoever keeps those elsewhere.

        Raises:
            InputError: a text holds half of a surrogate pair.
        """
        record: dict[str, object] = {**self._without_compliance()}
        if is_bare:
            record["description"] = record["remediation"] = ""
        if self.compliance:
            record["compliance"] = {} if is_bare else self.compliance
        record["handle"] = handle
        try:
            return orjson.dumps(record)
        except orjson.JSONEncodeError:
            raise InputError("its text is not valid Unicode") from None

    def _without_compliance(self) -> FindingDict:
        record: FindingDict = {  # as a display: calling the type costs as much as all the rest
            "id": self.id,
            "title": self.title,
            "severity": self.severity.value,
            "category": self.category,
            "resource": self.resource,
            "description": self.description,
            "remediation": self.remediation,
            "status": self.status.value,
        }
        for name in _OPTIONAL_TEXTS:
            if value := getattr(self, name):
                record[name] = value  # type: ignore[literal-required]
        if self.muted:
            record["muted"] = True
        if self.observed_at:
            record["observed_at"] = _in_utc(self.observed_at)
        return record

    def to_record(self) -> FindingDict:
        """Return the dictionary with the handle: what a store keeps, and what people see of it."""
        return {**self.to_dict(), "handle": self.handle}

    @classmethod
    def from_dict(cls, record: object) -> Self:
        """Read the specification's dictionary, forgiving what can be forgiven.

        Missing and null texts become empty, unknown keys are left out, a missing status means `FAIL`, and
        characters that no database keeps become U+FFFD.

        Raises:
            InputError: not a mapping; `id`, `title` or `severity` is missing; or a field is of the wrong kind.
        """
        if not isinstance(record, Mapping):
            raise InputError("a finding must be an object with id, title and severity")
        return cls(
            id=read_required(record, "id"),
            title=read_required(record, "title"),
            severity=Severity.parse(read_required(record, "severity")),
            status=_status(record.get("status")),
            muted=record.get("muted") is True,
            observed_at=read_instant(record.get("observed_at")),
            compliance=read_compliance(record.get("compliance")),
            **read_texts(record, _TEXTS),
        )


@lru_cache(maxsize=64)  # a scan gives the findings of a check, or all of them, one time
def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def short_name(fingerprint: str) -> str:
    """Return the handle of the finding with this fingerprint."""
    return f"f-{fingerprint[:8]}"


_SPEC_TEXTS = ("category", "resource", "description", "remediation")
_OPTIONAL_TEXTS = (
    "check_id",
    "resource_type",
    "provider",
    "account_id",
    "region",
    "service",
    "evidence",
    "reference_url",
)
_TEXTS = (*_SPEC_TEXTS, *_OPTIONAL_TEXTS)
FINDING_FIELDS: tuple[str, ...] = tuple(entry.name for entry in fields(Finding))


_OPEN_WORDS = {"", "FAIL", "FAILED", "OPEN", "NEW", "ACTIVE", "IN_PROGRESS", "IN PROGRESS", "WARNING"}
_PASS_WORDS = {"PASS", "PASSED", "OK", "RESOLVED", "FIXED", "CLOSED", "COMPLETED"}


def _status(value: object) -> FindingStatus:
    """Read a status word; what is neither a pass nor a failure needs a person."""
    if value is None:
        return FindingStatus.FAIL
    if not isinstance(value, str):
        raise InputError("status must be a text")
    word = value.strip().upper()
    if word in _OPEN_WORDS:
        return FindingStatus.FAIL
    return FindingStatus.PASS if word in _PASS_WORDS else FindingStatus.MANUAL
