"""Service accounts, their keys, and the tokens that those keys are good for."""

import base64
import itertools
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.fakes.google.checks import Call
from tests.fakes.google.refusal import Refusal

BOT = "countersign@acme-prod.iam.gserviceaccount.com"
BOT_KEY = "b" * 40
AUDIENCE = "https://oauth2.googleapis.com/token"  # claims name it wherever a key file sends them
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@cache
def key_pair() -> tuple[str, str]:
    """Return a private and a public key in PEM, the same for all: making one takes long, and a long one long to read."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it protects nothing
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@dataclass
class Identity:
    """`unready` is how many times a new key is not known yet where tokens are given out."""

    token_uri: str = ""
    unready: int = 0
    impersonated: list[str] = field(default_factory=list)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=itertools.count)

    def add_key(self, account: str, key_id: str, **settings: Any) -> None:
        """Give an account (`projects/P/serviceAccounts/EMAIL`) a key."""
        name = f"{account}/keys/{key_id}"
        self.keys[name] = {
            "name": name,
            "keyType": "USER_MANAGED",
            "keyOrigin": "GOOGLE_PROVIDED",
            **settings,
        }

    def key_file(self, email: str, key_id: str) -> dict[str, str]:
        """Return a key as a file."""
        return {
            "type": "service_account",
            "project_id": "acme-prod",
            "private_key_id": key_id,
            "private_key": key_pair()[0],
            "client_email": email,
            "client_id": "1",
            "token_uri": self.token_uri,
        }

    def serve(self, call: Call, query: dict[str, list[str]], body: Any) -> dict[str, Any]:
        name = call.path["name"]
        if call.method == "projects.serviceAccounts.list":
            return {
                "accounts": [
                    {"name": account, "email": account.rpartition("/")[2]} for account in self._accounts()
                ]
            }
        if call.method.endswith("keys.list"):
            return {"keys": [dict(key) for key in self.keys.values() if key["name"].startswith(f"{name}/")]}
        if call.method.endswith("keys.create"):
            return self._create(name)
        if name not in self.keys:
            raise Refusal(404, f"Service account key {name} does not exist.", "notFound")
        if call.method.endswith("keys.delete"):
            del self.keys[name]
        elif call.method.endswith("keys.disable"):
            self.keys[name]["disabled"] = True
        else:
            self.keys[name].pop("disabled", None)
        return {}

    def _accounts(self) -> list[str]:
        return sorted({name.partition("/keys/")[0] for name in self.keys})

    def _create(self, account: str) -> dict[str, Any]:
        key_id = f"{next(self._numbers) + 0xC0FFEE:040x}"
        self.add_key(account, key_id)
        file = json.dumps(self.key_file(account.rpartition("/")[2], key_id)).encode()
        made = {**self.keys[f"{account}/keys/{key_id}"], "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE"}
        return {**made, "privateKeyData": base64.b64encode(file).decode()}

    def issue_token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a signed claim for a token, as oauth2.googleapis.com does."""
        claims = self._claims(form["assertion"], AUDIENCE)
        if form["grant_type"] != GRANT:
            raise Refusal(400, "unsupported_grant_type")
        if claims["iss"] != BOT and self.unready:
            self.unready -= 1
            raise _InvalidGrant
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        return {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def _claims(self, assertion: str, audience: str | None) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(assertion, certs=key_pair()[1], audience=audience)
        except ValueError:
            raise _InvalidGrant from None
        key_id, email = jwt.decode_header(assertion)["kid"], claims["iss"]
        known = [key for name, key in self.keys.items() if name.endswith(f"/{email}/keys/{key_id}")]
        if (email, key_id) != (BOT, BOT_KEY) and not any(not key.get("disabled") for key in known):
            raise _InvalidGrant
        return claims

    def impersonate(self, path: str, authorization: str) -> dict[str, Any]:
        """Give out a token of another account, as iamcredentials.googleapis.com does."""
        self.require_token(authorization)
        self.impersonated.append(path.rpartition("/")[2].partition(":")[0])
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        return {"accessToken": token, "expireTime": "2099-01-01T00:00:00Z"}

    def require_token(self, authorization: str) -> None:
        """Let pass who has a token of ours, or a claim that the bot signed itself."""
        token = authorization.removeprefix("Bearer ")
        if token in self.tokens:
            return
        try:
            self._claims(token, None)
        except Refusal:
            raise Refusal(401, "Request had invalid authentication credentials.", "authError") from None


class _InvalidGrant(Refusal):
    def __init__(self) -> None:
        super().__init__(400, "invalid_grant")

    def to_json(self) -> dict[str, Any]:
        return {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
