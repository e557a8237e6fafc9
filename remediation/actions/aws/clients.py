"""boto3 clients, made when first used: importing this loads no SDK."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from audit.errors import Cause, PermanentActionError
from remediation.actions.aws.accounts import AwsAccounts, AwsRole
from remediation.actions.aws.errors import aws_errors
from remediation.actions.aws.partitions import home_region, known_region
from remediation.actions.aws.sending import sent_once
from remediation.actions.aws.session_policy import session_policy
from remediation.actions.aws.sessions import Clock, Credentials, SessionKey, Sessions, ask_who_we_are
from remediation.actions.recent import Recent

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
# A call whose answer was lost may have been carried out, and is sent again all the same: see `Access.once`.
ATTEMPTS = 4
# As many threads as share a client may have a call open; beyond that urllib3 throws connections away.
CONNECTIONS = 32
KEPT_CLIENTS = 512
# Services that are the same in every region: where nobody names one, any will do.
_EVERYWHERE = frozenset({"iam", "sts"})
_ANY_REGION = "us-east-1"
_CHATTY = ("boto3", "botocore", "s3transfer", "urllib3")
_DEFAULT_ACCOUNTS = AwsAccounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a client is for: the account, and the IAM actions with the ARN each is needed on.

    Credentials may be narrowed to this and must not be wider where they can be. Without an account, the credentials' own. With `once`
    the client sends each request once, whatever becomes of the answer: for writes that do harm when they happen twice.
    """

    account_id: str = ""
    allowed: tuple[tuple[str, str], ...] = ()
    once: bool = False


class AwsClients(Protocol):
    """Hands out a client for a service in a region."""

    def client(self, service: str, *, region: str, access: Access) -> Any:  # noqa: ANN401 - botocore makes client classes at run time
        """Return a client. It is made, or narrowed, for this access.

        Raises:
            ActionError: the SDK is not installed, or there is no region or credential to make it with.
        """

    def account_id(self) -> str:
        """Return the account that the credentials belong to.

        Raises:
            ActionError: it cannot be found out.
        """


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells clients apart that have the same credentials: the service, where, and how often a request is sent."""

    service: str
    region: str
    attempts: int = ATTEMPTS


@dataclass(frozen=True, slots=True)
class _Made:
    """A client, with the credentials it was made with; None for our own, which renew themselves."""

    client: Any
    credentials: Credentials | None


class Boto3Clients:
    """Clients for each account: in its role, narrowed to the access asked for; where it has none, as who we are.

    As who we are nothing is done in another account than our own. Clients and credentials are shared between threads.
    `overrides` maps a service name to a client to use instead (tests, special endpoints); whoever hands them out answers for
    their account, which is checked where there is one for `sts` among them.
    """

    def __init__(
        self,
        overrides: Mapping[str, object] | None = None,
        *,
        accounts: AwsAccounts = _DEFAULT_ACCOUNTS,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._overrides = dict(overrides or {})
        self._accounts = accounts
        self._factory = _Factory()
        self._sessions = Sessions(self._own_sts, clock=clock, region=accounts.region)
        self._made: Recent[tuple[object, ...], _Made] = Recent(room=KEPT_CLIENTS, is_fresh=self._is_fresh)
        self._own_account: Recent[None, str] = Recent(room=1, is_fresh=bool)

    def client(self, service: str, *, region: str, access: Access) -> Any:  # noqa: ANN401 - see the protocol
        """Return a client; see `AwsClients.client`."""
        if service in self._overrides:
            if "sts" in self._overrides:
                self._require_own(access.account_id)
            override = self._overrides[service]
            return sent_once(override) if access.once else override
        account = access.account_id or self.account_id()
        role = self._accounts.role_for(account)
        where = known_region(region) or self._accounts.region or _region_of(service, role)
        kind = _Kind(service, where, 1 if access.once else ATTEMPTS)
        if role is None:
            self._require_own(account)
            return self._as_we_are(kind)
        return self._in_role(kind, role, session_policy(access.allowed))

    def account_id(self) -> str:
        """Return the account; see `AwsClients.account_id`."""
        return self._own_account.get(None, self._ask_own_account)

    def sign_in(self, account_id: str) -> str:
        """Sign in as whoever acts in an account; return the account that this is, and so has to be the same.

        Raises:
            ActionError: it cannot be done.
        """
        access = Access(account_id=account_id, allowed=(("sts:GetCallerIdentity", "*"),))
        return ask_who_we_are(self.client("sts", region="", access=access))

    def _ask_own_account(self) -> str:
        if self._overrides and "sts" not in self._overrides:
            raise PermanentActionError("The finding names no account to act in", cause=Cause.WRONG_ACCOUNT)
        return ask_who_we_are(self._own_sts(self._accounts.region or _ANY_REGION))

    def _own_sts(self, region: str) -> Any:  # noqa: ANN401 - see the protocol
        return self._overrides.get("sts") or self._as_we_are(_Kind("sts", region))

    def _require_own(self, account_id: str) -> None:
        """Let our own account pass. Not every service can be told whose resource is meant, as S3 can.

        Raises:
            PermanentActionError: we would act in another account than the one that is meant.
            ActionError: it cannot be found out who we are.
        """
        own = self.account_id()
        if account_id not in {"", own}:
            raise PermanentActionError(
                f"The resource is in account {account_id}, the bot's credentials belong to {own}, and accounts.aws names no role",
                cause=Cause.WRONG_ACCOUNT,
            )

    def _as_we_are(self, kind: "_Kind") -> Any:  # noqa: ANN401 - see the protocol
        return self._made.get((kind,), lambda: _Made(self._factory.make(kind, {}), None)).client

    def _in_role(self, kind: "_Kind", role: AwsRole, policy: str) -> Any:  # noqa: ANN401 - see the protocol
        def make() -> _Made:
            credentials = self._sessions.assume(role, policy)
            return _Made(self._factory.make(kind, credentials.to_arguments()), credentials)

        return self._made.get((kind, SessionKey.of(role, policy)), make).client

    def _is_fresh(self, made: _Made) -> bool:
        return made.credentials is None or self._sessions.is_fresh(made.credentials)


def _region_of(service: str, role: AwsRole | None) -> str:
    """Return where to ask a service that is the same everywhere; empty leaves it to the environment."""
    if service not in _EVERYWHERE:
        return ""
    return home_region(role.arn) if role else _ANY_REGION


class _Factory:
    """Makes clients from one session, which keeps the services' descriptions: reading those takes longer than all else."""

    def __init__(self) -> None:
        self._session: Any = None
        self._lock = threading.Lock()

    def make(self, kind: _Kind, credentials: Mapping[str, str]) -> Any:  # noqa: ANN401 - see the protocol
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise PermanentActionError(
                "The AWS SDK is not installed: pip install 'countersign[aws]'", cause=Cause.NOT_INSTALLED
            ) from None
        quiet_sdk_loggers()
        config = Config(
            retries={"mode": "standard", "total_max_attempts": kind.attempts},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=CONNECTIONS,
        )
        with (
            self._lock,
            aws_errors(f"make a client for {kind.service}"),
        ):  # a session is not safe to share meanwhile
            self._session = self._session or boto3.Session()
            where = kind.region or None
            return self._session.client(kind.service, region_name=where, config=config, **credentials)


def quiet_sdk_loggers() -> None:
    """Pin the SDK's loggers to WARNING: at DEBUG botocore prints request bodies and new secret keys."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
