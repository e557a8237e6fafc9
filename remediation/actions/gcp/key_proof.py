"""Proof that a new service account key works: Google exchanges it for a token."""

import base64
import json
from typing import Any

from pydantic import SecretStr

from remediation.actions.gcp.clients import SCOPE, Patience
from remediation.actions.gcp.errors import google_errors


def prove_key(key_file: SecretStr, patience: Patience, *, key_id: str) -> None:
    """Ask for a token with a key file, in base64; again for a while, for a new key is not known everywhere at once.

    Raises:
        ActionError: Google gave none in time.
    """
    from google.api_core.retry import Retry, if_exception_type
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    repeated = Retry(
        predicate=if_exception_type(GoogleAuthError), initial=0.5, maximum=8.0, timeout=patience.proof_s
    )
    with google_errors(f"get a token with the new key {key_id}"):
        info = json.loads(base64.b64decode(key_file.get_secret_value()))
        credentials = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])  # type: ignore[no-untyped-call]
        repeated(credentials.refresh)(_request(patience))


def _request(patience: Patience) -> Any:  # noqa: ANN401 - google-auth has no types
    """Return google-auth's transport with our time-out; its own is two minutes."""
    from google.auth.transport.requests import Request

    request = Request()

    def send(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - google-auth's own signature
        return request(*arguments, **named | {"timeout": patience.read_s})

    return send
