"""Links to a report that open it without an account, for a while: signed, and worth nothing once expired.

    /reports/r-1a2b3c4d5e?expires=1795600000&signature=<64 hexadecimal digits>

The signature is HMAC-SHA256 over id and expiry (seconds since the epoch), under a key made from COUNTERSIGN_SECRET_KEY for this purpose alone.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from audit.errors import RefusedError

_PURPOSE = b"countersign: link to a report, version 1"
_LONGEST_EXPIRY = 12  # digits; beyond any date we make
VALID_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReportLinks:
    """Makes links below a public address, and checks them.

    Args:
        public_url: where people reach the bot, without a slash at the end.
        secret_key: at least 32 characters that nobody else knows; never shown.
        valid_for: how long a link opens its report.
    """

    public_url: str
    secret_key: str = field(repr=False)
    valid_for: timedelta = VALID_FOR

    def make(self, report_id: str, *, now: datetime) -> str:
        """Return a link that is valid from now on for the configured time."""
        expires = str(int((now + self.valid_for).timestamp()))
        query = urlencode({"expires": expires, "signature": self._sign(report_id, expires)})
        return f"{self.public_url}/reports/{quote(report_id, safe='')}?{query}"

    def check(self, report_id: str, query: Mapping[str, str], *, now: datetime) -> None:
        """Let a valid link pass.

        Raises:
            RefusedError: it is forged, changed, incomplete or expired; which of them is not said.
        """
        expires, signature = query.get("expires", ""), query.get("signature", "")
        genuine = hmac.compare_digest(self._sign(report_id, expires).encode(), signature.encode())
        if not genuine or not _is_ahead(expires, now):
            raise RefusedError("This link is not valid, or no longer. Ask for a new one: /report export html")

    def _sign(self, report_id: str, expires: str) -> str:
        key = hmac.digest(self.secret_key.encode(), _PURPOSE, hashlib.sha256)
        signed = f"{report_id}\n{expires}".encode("utf-8", "surrogatepass")
        return hmac.digest(key, signed, hashlib.sha256).hex()


def _is_ahead(expires: str, now: datetime) -> bool:
    plain = expires.isascii() and expires.isdigit() and len(expires) <= _LONGEST_EXPIRY
    return plain and now.timestamp() < int(expires)
