"""What key rotation refuses and shows, and what becomes of one that goes wrong half-way."""

import json
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from audit.errors import ActionError, Cause, PermanentActionError
from remediation.actions.aws.clients import Access
from remediation.actions.aws.iam_access_key import RotateAccessKey
from tests.contract.cases.aws_identity import RotateKeyCase
from tests.contract.cases.aws_services import ACCOUNT, MotoClients
from tests.contract.plans import plan_of, refusal

pytestmark = pytest.mark.slow


def step_of(case: RotateKeyCase, wrap: Callable[[Any], Any] | None = None) -> RotateAccessKey:
    """Return the action, waiting for nothing."""
    return RotateAccessKey(MotoClients(case.clients._endpoint, wrap=wrap), waits_s=(0.0, 0.0))


class Spoiling:
    """Raises at some calls of a client, before or after they take effect, and keeps the secrets of new keys."""

    def __init__(
        self, client: Any, *, before: str = "", after: str = "", error: BaseException | None = None
    ) -> None:
        self._client, self._before, self._after = client, before.split(), after.split()
        self._error = error or refused()
        self.secrets: list[str] = []

    def __call__(self, client: Any) -> Any:
        again = Spoiling(
            client, before=" ".join(self._before), after=" ".join(self._after), error=self._error
        )
        again.secrets = self.secrets
        return again

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if name == "meta" and name in self._before:
            raise self._error
        if name in ("meta", "exceptions"):
            return real

        def call(**arguments: Any) -> Any:
            if name in self._before:
                raise self._error
            answer = real(**arguments)
            if name == "create_access_key":
                self.secrets.append(answer["AccessKey"]["SecretAccessKey"])
            if name in self._after:
                raise self._error
            return answer

        return call


def refused() -> ClientError:
    said = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return ClientError(said, "Something")  # type: ignore[arg-type]


def everything_about(error: BaseException) -> str:
    """Return all that a logger could print of an error: its chain, with the local variables of every frame but the test's."""
    assert error.__traceback__
    ours = error.with_traceback(error.__traceback__.tb_next)
    return "".join(traceback.TracebackException.from_exception(ours, capture_locals=True).format())


@pytest.mark.parametrize("state", RotateKeyCase.states)
@pytest.mark.parametrize(("before", "after"), [("put_secret_value", ""), ("", "put_secret_value")])
def test_a_key_that_cannot_be_stored_is_deleted_at_once(
    moto_endpoint: str, state: str, before: str, after: str
) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.set_state(state)
    original, plan = case.read_raw(), plan_of(case)
    spoiling = Spoiling(None, before=before, after=after)
    with pytest.raises(PermanentActionError, match=r"Could not store .* was deleted") as caught:
        step_of(case, spoiling).apply(plan)
    assert caught.value.cause is Cause.DENIED
    assert case.read_raw() == original
    (canary,) = spoiling.secrets
    said = everything_about(caught.value)
    assert "make_key" in said
    assert canary not in said
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_what_nobody_foresaw_deletes_the_key_as_well(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    spoiling = Spoiling(None, before="meta", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        step_of(case, spoiling).apply(plan_of(case))
    assert case.keys() == {case.old: "Active"}
    (canary,) = spoiling.secrets
    assert canary not in everything_about(caught.value)


def test_a_key_that_cannot_be_deleted_either_is_named(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan = plan_of(case)
    with pytest.raises(PermanentActionError, match="could NOT be deleted, delete it by hand") as caught:
        step_of(case, Spoiling(None, before="put_secret_value delete_access_key")).apply(plan)
    (new,) = set(case.keys()) - {case.old}
    assert new in str(caught.value)
    with pytest.raises(PermanentActionError, match=f"{new} .* nothing shows whose it is"):
        step_of(case).rollback(plan)
    assert len(case.keys()) == 2


class Sts(BaseHTTPRequestHandler):
    """Security Token Service that does not know a key for a while, and then says who signs with it."""

    refusals: int
    arn: str

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        kind = type(self)
        kind.refusals -= 1
        if kind.refusals >= 0:
            self._answer(
                403,
                "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
                "<Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
            )
        else:
            self._answer(
                200,
                "<GetCallerIdentityResponse><GetCallerIdentityResult>"
                f"<Arn>{kind.arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
            )

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def sts_that(*, refuses: int, says: str) -> Iterator[str]:
    kind = type("OneSts", (Sts,), {"refusals": refuses, "arn": says})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class WithSts(MotoClients):
    """Everything on moto, but for one service at another address."""

    def __init__(self, endpoint: str, sts: str) -> None:
        super().__init__(endpoint)
        self._sts = MotoClients(sts)

    def client(self, service: str, *, region: str, access: Access) -> Any:
        chosen = self._sts.client if service == "sts" else super().client
        return chosen(service, region=region, access=access)


def test_a_new_key_may_take_a_while_to_be_known(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan = plan_of(case)
    with sts_that(refuses=2, says=case.arn) as sts:
        action = RotateAccessKey(WithSts(moto_endpoint, sts), waits_s=(0.0, 0.0))
        action.apply(plan)
    action.verify(plan)


@pytest.mark.parametrize("state", RotateKeyCase.states)
@pytest.mark.parametrize(
    ("refuses", "says", "cause"),
    [(3, "", Cause.CREDENTIALS), (0, f"arn:aws:iam::{ACCOUNT}:user/eve", Cause.NOT_VERIFIED)],
)
def test_a_key_that_cannot_be_proven_is_deleted_at_once(
    moto_endpoint: str, state: str, refuses: int, says: str, cause: Cause
) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.set_state(state)
    original, plan = case.read_raw(), plan_of(case)
    with sts_that(refuses=refuses, says=says) as sts, pytest.raises(PermanentActionError) as caught:
        RotateAccessKey(WithSts(moto_endpoint, sts), waits_s=(0.0, 0.0)).apply(plan)
    assert caught.value.cause is cause
    assert "was deleted" in str(caught.value)
    assert case.read_raw() == original


@pytest.mark.parametrize("state", RotateKeyCase.states)
@pytest.mark.parametrize("broken", ["update_secret_version_stage", "update_access_key"])
def test_a_rotation_that_stops_half_way_can_be_put_back(moto_endpoint: str, state: str, broken: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.set_state(state)
    original, plan = case.read_raw(), plan_of(case)
    with pytest.raises(ActionError):
        step_of(case, Spoiling(None, before=broken)).apply(plan)
    action = step_of(case)
    assert action.observe(plan) not in (plan.before, plan.after)
    action.rollback(plan)
    action.verify_rollback(plan)
    assert case.read_raw() == original


def test_a_stored_key_that_was_never_proven_is_not_handed_out(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan = plan_of(case)
    # As a crash between storing and proving leaves it.
    with pytest.raises(PermanentActionError):
        step_of(
            case, Spoiling(None, after="put_secret_value", before="delete_access_key delete_secret")
        ).apply(plan)
    action = step_of(case)
    assert "not proven" in str(action.observe(plan)["new key"])
    with pytest.raises(PermanentActionError, match="never proven"):
        action.apply(plan)
    assert case.keys()[case.old] == "Active"
    action.rollback(plan)
    action.verify_rollback(plan)


@pytest.mark.parametrize("broken", ["delete_access_key", "delete_secret"])
def test_a_rollback_that_stops_half_way_goes_on_where_it_stopped(moto_endpoint: str, broken: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    original, plan, action = case.read_raw(), plan_of(case), step_of(case)
    action.apply(plan)
    with pytest.raises(ActionError):
        step_of(case, Spoiling(None, before=broken)).rollback(plan)
    action.rollback(plan)
    action.verify_rollback(plan)
    assert case.read_raw() == original


def test_a_rotated_key_can_be_rotated_again_after_a_rollback(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.set_state("a secret")
    for _ in range(2):
        plan, action = plan_of(case), step_of(case)
        action.apply(plan)
        action.verify(plan)
        action.rollback(plan)
        action.verify_rollback(plan)


def test_the_secret_holds_the_key_that_works(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan = plan_of(case)
    step_of(case).apply(plan)
    held = json.loads(case.secrets.get_secret_value(SecretId=case.secret)["SecretString"])
    assert set(held) == {"AccessKeyId", "SecretAccessKey"}
    assert case.keys() == {case.old: "Inactive", held["AccessKeyId"]: "Active"}


def test_two_keys_are_refused_with_both_explained(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    second = case.iam.create_access_key(UserName=case.user)["AccessKey"]["AccessKeyId"]
    error = refusal(case)
    assert "has two access keys, the most that AWS allows" in str(error)
    for key in (case.old, second):
        assert f"{key} (Active, never used" in str(error)


def test_no_key_and_an_inactive_key_are_nothing_to_rotate(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.iam.update_access_key(UserName=case.user, AccessKeyId=case.old, Status="Inactive")
    assert "only key" in str(refusal(case))
    case.iam.delete_access_key(UserName=case.user, AccessKeyId=case.old)
    assert "no access key" in str(refusal(case))


def test_a_secret_that_could_not_be_put_back_is_refused(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    case.secrets.create_secret(Name=case.secret)
    assert "no current value" in str(refusal(case))
    case.secrets.put_secret_value(SecretId=case.secret, SecretString="x")
    case.secrets.delete_secret(SecretId=case.secret)
    assert "being deleted" in str(refusal(case))


def test_someones_secret_of_that_name_is_not_deleted(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan, action = plan_of(case), step_of(case)
    action.apply(plan)
    case.secrets.untag_resource(SecretId=case.secret, TagKeys=["countersign:created"])
    with pytest.raises(PermanentActionError, match="lacks our tag"):
        action.rollback(plan)
    assert case.labels() is not None


def test_the_card_shows_the_keys_age_and_use_and_no_more(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    plan = plan_of(case)
    assert any(f"Key {case.old}, made 20" in note and "never used" in note for note in plan.notes)
    assert plan.before[f"key {case.old}"] == "Active"
    assert plan.after == {
        f"key {case.old}": "Inactive",
        "new key": f"stored in {case.secret}",
        f"AWSCURRENT of {case.secret}": "new key",
        f"AWSPREVIOUS of {case.secret}": None,
    }


def test_credentials_reach_one_user_and_one_secret_and_never_read_it(moto_endpoint: str) -> None:
    case = RotateKeyCase(moto_endpoint)
    RotateAccessKey(case.clients).apply(plan_of(case))
    for _, _, access in case.clients.asked:
        for name, arn in access.allowed:
            assert name != "secretsmanager:GetSecretValue"
            if name.startswith("secretsmanager:"):
                assert arn == f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{case.secret}-??????"
            elif name != "iam:GetAccessKeyLastUsed":
                assert arn == case.arn
