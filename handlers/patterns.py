"""One listener for several names."""

import re
from collections.abc import Iterable


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Return one pattern for several names: Bolt asks listener by listener, and that was a quarter of an acknowledgement."""
    return re.compile(rf"^(?:{'|'.join(map(re.escape, names))})\Z")
