"""Raw calls take no secrets: what AWS says is one is refused before anything of it is shown, stored or logged."""

import io
import logging
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from audit.errors import InputError
from audit.findings import Finding
from handlers.blocks.card import CardRules, build_card
from remediation import PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from remediation.actions.clouds import Clouds
from remediation.actions.equipment import Equipment
from remediation.actions.registry import ActionRegistry
from remediation.evidence import write_evidence
from remediation.lint import lint_playbook
from remediation.playbook import PlaybookAction
from storage import Stores
from tests.contract.cases.contract import OneClient
from tests.databases import stores_at

CANARY, MARK = "canary-0123456789abcdef", "ordinary-0123456789abcdef"
LOGIN = {"UserName": "bob", "Password": CANARY}
SECRETS: list[tuple[str, dict[str, Any], str]] = [
    ("iam:create-login-profile", LOGIN, "Password"),
    ("iam:create-login-profile", {**LOGIN, "Password": "{{ finding.title }}"}, "Password"),
    ("secretsmanager:put-secret-value", {"SecretId": "s", "SecretString": CANARY}, "SecretString"),
    # A map of which every value is one.
    (
        "lambda:update-function-configuration",
        {"FunctionName": "f", "Environment": {"Variables": {"DATABASE": CANARY}}},
        "Environment.Variables",
    ),
    # In a list, and not marked by AWS itself.
    ("mq:create-broker", {"Users": [{"Username": "u", "Password": CANARY}]}, "Users.Password"),
    ("docdb:modify-db-cluster", {"MasterUserPassword": CANARY}, "MasterUserPassword"),
    ("apigateway:create-domain-name", {"certificatePrivateKey": CANARY}, "certificatePrivateKey"),
    # Not even where the rest does not fit.
    ("iam:create-login-profile", {"Password": {"no": CANARY}, "Colour": "red"}, "Password"),
]
FINE: list[tuple[str, dict[str, Any]]] = [
    ("sns:publish", {"TopicArn": "t", "Message": "m"}),
    ("iam:update-login-profile", {"UserName": "bob", "PasswordResetRequired": True}),
    ("ec2:create-volume", {"AvailabilityZone": "us-east-1a", "ClientToken": "t"}),
    ("s3:put-bucket-tagging", {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
]


def raw(key: str, params: Mapping[str, Any]) -> PlaybookAction:
    service, _, call = key.partition(":")
    return PlaybookAction("raw", "aws", {"service": service, "action": call, "params": dict(params)})


def registry(*keys: str) -> ActionRegistry:
    return ActionRegistry.standard(Clouds(aws=OneClient(None)), Equipment(raw_calls=frozenset(keys)))


def book_of(step: PlaybookAction) -> RemediationPlaybook:
    book = RemediationPlaybook("RAW", "Raw", "A raw call.", "IAM", "HIGH")
    book.actions.append(step)
    return book


@pytest.mark.parametrize(("key", "params", "place"), SECRETS)
def test_a_secret_is_refused_when_the_playbook_is_loaded_and_when_it_is_planned(
    key: str, params: dict[str, Any], place: str
) -> None:
    for look in (registry(key).check, registry(key).resolve):
        with pytest.raises(InputError, match=f" takes {place} as a secret") as caught:
            look(raw(key, params))
        assert CANARY not in str(caught.value)
        assert len(caught.value.explain().splitlines()) == 1


@pytest.mark.parametrize(("key", "params"), FINE)
def test_what_is_no_secret_is_not(key: str, params: dict[str, Any]) -> None:
    registry(key).check(raw(key, params))
    registry(key).resolve(raw(key, params))


def test_the_linter_says_where_and_not_what() -> None:
    text = (
        "playbook_id: RAW\nname: Raw\nfinding_category: IAM\nseverity: HIGH\nactions:\n  - action_name: raw\n    action_type: aws\n"
        f"    params: {{service: iam, action: create-login-profile, params: {{UserName: bob, Password: {CANARY}}}}}\n"
    )
    (mistake,) = lint_playbook(text, registry=registry("iam:create-login-profile"))
    assert mistake.line == 8
    assert "iam create-login-profile takes Password as a secret" in mistake.text
    assert CANARY not in mistake.text


@pytest.fixture
def topic(moto_endpoint: str) -> Any:
    sns = boto3.client("sns", endpoint_url=moto_endpoint, region_name="us-east-1")
    return sns, sns.create_topic(Name="canaries")["TopicArn"]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    stores = stores_at(f"sqlite:///{tmp_path}/countersign.db")
    yield stores
    stores.close()


def everything(stores: Stores, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what people, files and the database get of all executions."""
    trail = list(stores.trail.stream())
    yield "trail", b"".join(entry.body for entry in trail).decode()
    for execution in stores.executions.history():
        yield "card", repr(build_card(execution, CardRules()))
        yield "repr", repr(execution)
        zipped = io.BytesIO()
        write_evidence(execution, trail, zipped, now=datetime.now(UTC))
        with zipfile.ZipFile(zipped) as archive:
            for name in archive.namelist():
                yield name, archive.read(name).decode()
    for path in folder.iterdir():
        yield "database", path.read_bytes().decode(errors="replace")


def test_no_canary_reaches_anything_that_an_ordinary_argument_reaches(
    stores: Stores, topic: tuple[Any, str], tmp_path: Path, finding: Finding, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sns, arn = topic
    calls = frozenset({"sns:publish", "iam:create-login-profile"})
    executor = PlaybookExecutor({"sns": sns}, store=stores.executions, equipment=Equipment(raw_calls=calls))

    def ask(key: str, params: dict[str, Any]) -> Any:
        return executor.execute_playbook(book_of(raw(key, params)), finding, "ana@northwind.example")

    asked = ask("sns:publish", {"TopicArn": arn, "Message": MARK})
    executor.approve_execution(asked.execution_id, "omar@northwind.example")
    assert executor.get_execution(asked.execution_id).status is PlaybookStatus.COMPLETED
    with pytest.raises(InputError, match="as a secret"):
        ask("iam:create-login-profile", LOGIN)
    assert not executor.validate_playbook(book_of(raw("iam:create-login-profile", LOGIN)))
    seen = list(everything(stores, tmp_path))
    reached = {place for place, content in seen if MARK in content}
    assert {"card", "database", "plan.json", "evidence.html"} <= reached
    seen += [("log", f"{record.getMessage()}{record.exc_text}") for record in caplog.records]
    assert [place for place, content in seen if CANARY in content] == []
