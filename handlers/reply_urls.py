"""Where private answers go, kept in this process alone.

Whoever holds a `response_url` can speak where it leads to, as us and without a token. So it stands in no database, and a
later process answers by other ways.
"""

import threading
from datetime import datetime, timedelta

# docs.slack.dev/interactivity/handling-user-interaction, “Message responses”
LIFETIME = timedelta(minutes=30)


class ReplyUrls:
    """The `response_url`s of requests that are still to be answered, for as long as Slack takes anything by them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_request: dict[str, tuple[str, datetime]] = {}

    def keep(self, request_id: str, url: str, *, now: datetime) -> None:
        """Remember a request's URL; an empty one is none. Forgets those that are used up."""
        with self._lock:
            self._forget_until(now)
            if url:
                self._by_request.pop(request_id, None)
                self._by_request[request_id] = (url, now + LIFETIME)

    def take(self, request_id: str, *, now: datetime) -> str:
        """Return a request's URL and forget it; empty where there is none that Slack still takes."""
        with self._lock:
            url, until = self._by_request.pop(request_id, ("", now))
        return url if until > now else ""

    def _forget_until(self, now: datetime) -> None:
        """Forget what is used up. The oldest stands first: whoever clicks must not wait for a look at all the others."""
        while self._by_request:
            oldest = next(iter(self._by_request))
            if self._by_request[oldest][1] > now:
                return
            del self._by_request[oldest]

    def __len__(self) -> int:
        return len(self._by_request)
