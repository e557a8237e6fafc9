"""Google's REST APIs for which the SDK has a gRPC client only: service account keys, Secret Manager."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Session

_HTTP_BAD_REQUEST = 400


class GoogleRest:
    """Calls on a session that puts the credentials in.

    Args:
        session: google-auth's `AuthorizedSession`, or one like it.
        attempt_s: the time-outs of one attempt (connecting, reading), in seconds.
        total_s: the time for a call with all its repetitions, in seconds.
        endpoints: maps an API to its address; without one, `https://<api>.googleapis.com`.
    """

    def __init__(
        self,
        session: "Session",
        *,
        attempt_s: tuple[float, float],
        total_s: float,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        self._session = session
        self._attempt_s = attempt_s
        self._total_s = total_s
        self._endpoints = dict(endpoints or {})

    def get(self, api: str, path: str, **query: str) -> Mapping[str, Any]:
        """Read; repeated while Google is busy or cannot be reached.

        Raises:
            google.api_core.exceptions.GoogleAPICallError: Google said no.
            requests.RequestException: there was no answer.
        """
        return self._repeat(lambda: self._call("GET", api, path, params=query))

    def list_pages(self, api: str, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Read a list, page by page; raises what `get` does."""
        page = self.get(api, path, **query)
        yield page
        while token := page.get("nextPageToken"):
            page = self.get(api, path, **query, pageToken=str(token))
            yield page

    def repeat(self, verb: str, api: str, path: str) -> None:
        """Make a write without a body that may happen twice; repeated like `get`, and raises what it does."""
        body: dict[str, object] | None = {} if verb == "POST" else None
        self._repeat(lambda: self._call(verb, api, path, json=body))

    def create(self, api: str, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        """Make something new: repeated only where Google says that it did nothing. Raises what `get` does."""
        return self._repeat(lambda: self._call("POST", api, path, json=body), even_if_unsure=False)

    def _repeat(
        self, call: Callable[[], Mapping[str, Any]], *, even_if_unsure: bool = True
    ) -> Mapping[str, Any]:
        repeated = google_retry(self._total_s, even_if_unsure=even_if_unsure)
        answer: Mapping[str, Any] = repeated(call)()
        return answer

    def _call(self, verb: str, api: str, path: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        from google.api_core.exceptions import from_http_response

        base = self._endpoints.get(api, f"https://{api}.googleapis.com")
        response = self._session.request(verb, f"{base}/v1/{path}", timeout=self._attempt_s, **arguments)
        if response.status_code >= _HTTP_BAD_REQUEST:
            raise from_http_response(response)  # type: ignore[no-untyped-call]
        answer: Mapping[str, Any] = response.json()
        return answer


def google_retry(total_s: float, *, even_if_unsure: bool = True) -> Any:  # noqa: ANN401 - google.api_core has no types
    """Return how to repeat a call that Google was too busy for, or, where that is harmless, did not answer."""
    import requests
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    turned_away: tuple[type[Exception], ...] = (exceptions.TooManyRequests,)
    unsure: tuple[type[Exception], ...] = (
        exceptions.BadGateway,
        exceptions.ServiceUnavailable,
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
    )
    kinds = (*turned_away, *unsure) if even_if_unsure else turned_away
    return Retry(predicate=if_exception_type(*kinds), initial=0.5, maximum=5.0, timeout=total_s)
