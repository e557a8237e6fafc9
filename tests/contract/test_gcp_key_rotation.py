"""Rotating a key: in which order, what is left where it breaks off, and that the new key is seen by nobody."""

import json
import logging
import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from audit.errors import ActionError, Cause, PermanentActionError
from remediation import PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from remediation.actions.gcp.clients import GoogleClients, Patience
from remediation.plan import ActionPlan, Target
from storage import Stores
from tests.contract.backends_google import PROJECT, clients_for
from tests.contract.cases.gcp_key_rotation import OLD, SECRET, SPARE, KeyRotationCase
from tests.databases import stores_in_memory
from tests.fakes.google.identity import key_pair
from tests.fakes.google.server import GoogleCloud

pytestmark = pytest.mark.slow

# Any 40 characters in a row of the private key give it away; base64 hides them, so its own middle is looked for as well.
CANARY = key_pair()[0].splitlines()[5]


@pytest.fixture
def case(google: GoogleCloud, google_clients: GoogleClients) -> KeyRotationCase:
    made = KeyRotationCase(google, google_clients)
    made.set_state("one key, empty secret")
    return made


def plan_of(case: KeyRotationCase, resource: str = "") -> ActionPlan:
    step = case.registry().resolve(case.written)
    return step.plan(Target(provider="gcp", resource=resource or case.resource, account_id=PROJECT))


def writes(case: KeyRotationCase) -> list[str]:
    return [call.rpartition(".")[2] for call in case.cloud.calls if not call.endswith(".list")]


def failed(case: KeyRotationCase, plan: ActionPlan) -> ActionError:
    action, _ = case.action()
    with pytest.raises(ActionError) as caught:
        action.apply(plan)
    return caught.value


def test_the_old_key_goes_last_and_the_new_one_works(case: KeyRotationCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    case.cloud.identity.unready = 2
    action.apply(plan)
    assert writes(case) == ["create", "addVersion", "disable"]
    stored = json.loads(case.cloud.secrets.payloads[f"{SECRET}/versions/1"])
    assert stored["private_key_id"] in {name.rpartition("/")[2] for name in case.cloud.identity.keys} - {OLD}


def test_a_secret_may_be_named_after_the_account(case: KeyRotationCase) -> None:
    own = f"projects/{PROJECT}/secrets/{case.name}-key"
    case.cloud.secrets.add(own)
    case.params = {"secret": "{account}-key"}  # type: ignore[misc]
    plan, (action, _) = plan_of(case), case.action()
    action.apply(plan)
    action.verify(plan)
    assert list(case.cloud.secrets.payloads) == [f"{own}/versions/1"]


@pytest.mark.parametrize("spelled", ["key id", "account"])
def test_a_key_is_found_by_what_scanners_say(case: KeyRotationCase, spelled: str) -> None:
    plan = plan_of(case, OLD if spelled == "key id" else case.email)
    assert plan.target.resource == case.resource
    assert SECRET in " ".join(plan.notes)


def test_an_account_of_several_keys_does_not_say_which(case: KeyRotationCase) -> None:
    case.cloud.identity.add_key(case.account, SPARE)
    with pytest.raises(PermanentActionError, match="has 2 enabled keys"):
        plan_of(case, case.email)


@pytest.mark.parametrize("spelled", ["f" * 40, "keys"])
def test_a_key_that_is_not_there(case: KeyRotationCase, spelled: str) -> None:
    with pytest.raises(PermanentActionError, match="f" * 40) as caught:
        plan_of(case, spelled if spelled != "keys" else f"{case.account}/keys/{'f' * 40}")
    assert caught.value.cause is Cause.NOT_FOUND


def test_ten_keys_are_too_many(case: KeyRotationCase) -> None:
    for number in range(9):
        case.cloud.identity.add_key(case.account, f"{number:040x}")
    with pytest.raises(PermanentActionError, match="has 10 keys, the most that Google allows"):
        plan_of(case)


def test_a_secret_that_is_not_there(case: KeyRotationCase) -> None:
    del case.cloud.secrets.secrets[SECRET]
    with pytest.raises(PermanentActionError, match="deploy-key") as caught:
        plan_of(case)
    assert caught.value.cause is Cause.NOT_FOUND


def test_a_key_that_cannot_be_made_changes_nothing(case: KeyRotationCase) -> None:
    plan, before = plan_of(case), case.read_raw()
    said = "Key creation violates constraint constraints/iam.disableServiceAccountKeyCreation"
    case.cloud.refuse("projects.serviceAccounts.keys.create", 400, said)
    assert failed(case, plan).cause is Cause.DENIED_BY_ORGANIZATION
    assert case.read_raw() == before


def test_a_key_that_cannot_be_stored_is_deleted_at_once(case: KeyRotationCase) -> None:
    plan, before = plan_of(case), case.read_raw()
    case.cloud.refuse("projects.secrets.addVersion", 403, "no secretmanager.versions.add", "forbidden")
    assert failed(case, plan).cause is Cause.DENIED
    assert case.read_raw() == before


def test_a_key_that_does_not_work_is_deleted_and_its_version_closed(case: KeyRotationCase) -> None:
    plan, before = plan_of(case), case.read_raw()
    case.clients = clients_for(case.cloud, Patience(proof_s=0.1))
    case.cloud.identity.unready = 99
    error = failed(case, plan)
    assert "Could not get a token with the new key" in str(error)
    assert case.read_raw() == before
    assert writes(case) == ["create", "addVersion", "disable", "delete"]


def test_a_key_that_cannot_be_deleted_either_is_named(case: KeyRotationCase) -> None:
    plan = plan_of(case)
    case.cloud.refuse("projects.secrets.addVersion", 403, "no secretmanager.versions.add", "forbidden")
    case.cloud.refuse("projects.serviceAccounts.keys.delete", 403, "no keys.delete", "forbidden", times=9)
    error = failed(case, plan)
    (new,) = {name.rpartition("/")[2] for name in case.cloud.identity.keys} - {OLD}
    assert f"the new key {new} is still there" in str(error)
    assert error.cause is Cause.DENIED


def test_a_key_whose_deletion_was_not_answered_is_not_said_to_be_there(case: KeyRotationCase) -> None:
    plan, before = plan_of(case), case.read_raw()
    case.clients = clients_for(case.cloud, Patience(read_s=0.3))
    case.cloud.refuse("projects.secrets.addVersion", 403, "no secretmanager.versions.add", "forbidden")
    case.cloud.stall("projects.serviceAccounts.keys.delete", after=True)
    error = failed(case, plan)
    assert (error.cause, "still there" in str(error)) == (Cause.DENIED, False)
    assert case.read_raw() == before


def test_an_answer_with_a_key_that_got_lost_is_seen_and_put_back(case: KeyRotationCase) -> None:
    plan, before = plan_of(case), case.read_raw()
    case.clients = clients_for(case.cloud, Patience(read_s=0.3))
    case.cloud.stall("projects.serviceAccounts.keys.create", after=True)
    assert failed(case, plan).cause is Cause.TIMED_OUT
    assert writes(case) == ["create"]
    action, _ = case.action()
    assert action.observe(plan)["New keys"] == 1
    with pytest.raises(ActionError, match="it was begun already"):
        action.apply(plan)
    action.rollback(plan)
    action.verify_rollback(plan)
    assert case.read_raw() == before


def test_a_version_that_somebody_else_stored_meanwhile_is_left_alone(case: KeyRotationCase) -> None:
    plan = plan_of(case)
    theirs = {"name": f"{SECRET}/versions/1", "state": "ENABLED"}
    case.cloud.meanwhile(
        "projects.secrets.addVersion", lambda: case.cloud.secrets.secrets[SECRET].append(theirs)
    )
    assert failed(case, plan).cause is Cause.CHANGED_MEANWHILE
    assert [entry["state"] for entry in case.cloud.secrets.secrets[SECRET]] == ["ENABLED", "DISABLED"]
    assert list(case.cloud.identity.keys) == [case.resource]


def test_a_key_that_somebody_else_made_since_the_plan_is_not_deleted(case: KeyRotationCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    action.apply(plan)
    case.cloud.identity.add_key(case.account, SPARE)
    with pytest.raises(ActionError, match="New keys is 2") as caught:
        action.rollback(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE
    assert f"{case.account}/keys/{SPARE}" in case.cloud.identity.keys


@pytest.fixture
def loudest_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Log all there is, as a program would that looks for a mistake."""
    for name in ("", "google", "google.auth", "google.auth.transport.requests", "urllib3"):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        logger.manager._clear_cache()
    yield
    logging.getLogger().manager._clear_cache()


@pytest.mark.parametrize("goes_wrong", ["nothing", "store", "lost answer"])
def test_the_new_key_is_seen_by_nobody(
    case: KeyRotationCase, loudest_logging: None, caplog: pytest.LogCaptureFixture, goes_wrong: str
) -> None:
    case.clients = clients_for(case.cloud, Patience(read_s=1, proof_s=0.1))
    if goes_wrong == "store":
        case.cloud.refuse("projects.secrets.addVersion", 403, "no", "forbidden")
    if goes_wrong == "lost answer":
        case.cloud.stall("projects.secrets.addVersion")
    stores = stores_in_memory()
    executor = PlaybookExecutor(
        {"google_rest": case.clients.client("google_rest", project=PROJECT)}, store=stores.executions
    )
    execution = executor.execute_playbook(book_for(case), finding_for(case), "ann@acme.example")
    executor.approve_execution(execution.execution_id, "bob@acme.example")
    done = executor.get_execution(execution.execution_id)
    assert (done.status is PlaybookStatus.COMPLETED) is (goes_wrong == "nothing")
    assert any("addVersion" in call for call in case.cloud.calls)
    assert not gives_it_away(repr(done) + everything_logged(caplog) + everything_in(stores))
    stores.close()


@pytest.mark.parametrize("goes_wrong", ["store", "lost answer", "proof"])
def test_no_error_carries_the_new_key(case: KeyRotationCase, goes_wrong: str) -> None:
    plan = plan_of(case)
    case.clients = clients_for(case.cloud, Patience(read_s=1, proof_s=0.1))
    if goes_wrong == "store":
        case.cloud.refuse("projects.secrets.addVersion", 403, "no", "forbidden")
    if goes_wrong == "lost answer":
        case.cloud.stall("projects.secrets.addVersion")
    if goes_wrong == "proof":
        case.cloud.identity.unready = 99
    error = failed(case, plan)
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert not gives_it_away("".join(shown.format()))


def test_the_canary_would_be_found(case: KeyRotationCase) -> None:
    plan, (action, _) = plan_of(case), case.action()
    action.apply(plan)
    assert gives_it_away("".join(case.cloud.bodies))
    assert gives_it_away(case.cloud.secrets.payloads[f"{SECRET}/versions/1"].decode())


def gives_it_away(shown: str) -> bool:
    """Tell whether a text holds a piece of the private key, plain or in base64 at any of its three alignments."""
    from base64 import b64encode

    hidden = [b64encode(b"x" * pad + CANARY.encode()).decode()[8:-8] for pad in range(3)]
    return any(piece in shown for piece in (CANARY, *hidden))


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return all log records with their extra fields: google-auth puts what was sent and answered there."""
    return caplog.text + repr([vars(record) for record in caplog.records])


def everything_in(stores: Stores) -> str:
    """Return all that a database holds, as text."""
    with stores.database.engine.connect() as connection:
        tables = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        )
        return repr([connection.execute(text(f'SELECT * FROM "{table}"')).all() for table in tables])  # noqa: S608


def book_for(case: KeyRotationCase) -> RemediationPlaybook:
    book = RemediationPlaybook("ROTATE", "Rotate", "", "IAM", "CRITICAL")
    book.add_action("rotate", "gcp", case.written.params)
    return book


def finding_for(case: KeyRotationCase) -> dict[str, str]:
    return {
        "id": "f1",
        "title": "Old key",
        "severity": "CRITICAL",
        "resource": case.resource,
        "provider": "gcp",
        "account_id": PROJECT,
    }
