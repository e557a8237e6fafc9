"""A finding: one thing a scanner says about one resource.

The specification passes findings around as plain dictionaries, so that shape (`FindingDict`) is the one
interchange between packages; `Finding` is the same thing checked, frozen and typed.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NotRequired, Self, TypedDict

import orjson

from audit.errors import InputError


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
        record = FindingDict(
            id=self.id,
            title=self.title,
            severity=self.severity.value,
            category=self.category,
            resource=self.resource,
            description=self.description,
            remediation=self.remediation,
            status=self.status.value,
        )
        for name in _OPTIONAL_TEXTS:
            if value := getattr(self, name):
                record[name] = value  # type: ignore[literal-required]
        if self.muted:
            record["muted"] = True
        if self.observed_at:
            record["observed_at"] = self.observed_at.astimezone(UTC).isoformat()
        if self.compliance:
            record["compliance"] = {name: list(controls) for name, controls in self.compliance.items()}
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
            id=_required(record, "id"),
            title=_required(record, "title"),
            severity=Severity.parse(_required(record, "severity")),
            status=_status(record.get("status")),
            muted=record.get("muted") is True,
            observed_at=_instant(record.get("observed_at")),
            compliance=_compliance(record.get("compliance")),
            **{name: _text(record, name) for name in _SPEC_TEXTS + _OPTIONAL_TEXTS},
        )


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
FINDING_FIELDS: tuple[str, ...] = tuple(entry.name for entry in fields(Finding))


# PostgreSQL keeps no NUL in a text, and half of a surrogate pair has no UTF-8.
_ONLY_JSON = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _clean(text: str) -> str:
    if text.isascii() and "\0" not in text:  # nearly every text, and many times faster than the pattern
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def _required(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"a finding needs its {name}")
    return _clean(value)


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return _clean(str(value))
    raise InputError(f"{name} must be a text")


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


def _instant(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_iso_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # an offset can push the year 1 or 9999 out of the calendar
        raise InputError("observed_at must be an ISO 8601 time") from None


def _iso_text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError("observed_at must be an ISO 8601 time")
    return value


def _compliance(value: object) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError("compliance must map a framework to its controls")
    try:
        return _same_compliance(orjson.dumps(value, option=_ONLY_JSON))
    except orjson.JSONEncodeError:  # half of a surrogate pair, or no JSON
        return _checked_compliance(value)


# All findings of a check say the same, in a hundred texts: they are checked once, and the findings share the answer.
@lru_cache(maxsize=1024)
def _same_compliance(written: bytes) -> dict[str, tuple[str, ...]]:
    return _checked_compliance(orjson.loads(written))


def _checked_compliance(value: Mapping[object, object]) -> dict[str, tuple[str, ...]]:
    return {_clean(str(name)): _controls(controls) for name, controls in value.items()}


def _controls(value: object) -> tuple[str, ...]:
    controls = [value] if isinstance(value, str) else value
    if not isinstance(controls, (list, tuple)):
        raise InputError("compliance controls must be a list of texts")
    return tuple(_control(control) for control in controls)


def _control(value: object) -> str:
    if isinstance(value, (str, int, float)):
        return _clean(str(value))
    raise InputError("compliance controls must be a list of texts")
