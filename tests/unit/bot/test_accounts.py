"""The configuration's `accounts:`: what it means for each cloud, and what it refuses."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from audit.errors import Cause, ConfigError, PermanentActionError
from bot.accounts import AccountsSection
from bot.config import Config, read_config
from bot.planning import make_planner
from bot.settings import Settings
from remediation.actions.aws.accounts import AwsRole
from remediation.actions.azure.tenants import TenantClients, TenantCredential, default_chain
from remediation.plan import Target

FILE = """
policy: {approvers: [S0SEC]}
accounts:
  aws:
    role: arn:aws:iam::{account_id}:role/countersign
    external_id: canary-external-id
    region: eu-central-1
    overrides:
      "111122223333": {role: "arn:aws:iam::111122223333:role/ops/fixer", external_id: canary-other-id}
      "222233334444": {role: "arn:aws:iam::{account_id}:role/theirs"}
      "333344445555": {external_id: canary-third-id}
  gcp:
    service_account: countersign@{project}.iam.gserviceaccount.com
    overrides: {acme-prod: fixer@acme-ops.iam.gserviceaccount.com}
  azure:
    tenant: 0A000000-0000-0000-0000-000000000001
    subscriptions: [0B000000-0000-0000-0000-000000000001, 0b000000-0000-0000-0000-000000000002]
    overrides: {0B000000-0000-0000-0000-000000000002: 0a000000-0000-0000-0000-000000000002}
"""
FIRST, SECOND = "0b000000-0000-0000-0000-000000000001", "0b000000-0000-0000-0000-000000000002"
HOME, GUEST = "0a000000-0000-0000-0000-000000000001", "0a000000-0000-0000-0000-000000000002"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return read(tmp_path, FILE)


def read(folder: Path, text: str) -> Config:
    path = folder / "countersign.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


@pytest.mark.parametrize(
    ("account", "arn", "external_id"),
    [
        ("444455556666", "arn:aws:iam::444455556666:role/countersign", "canary-external-id"),
        ("111122223333", "arn:aws:iam::111122223333:role/ops/fixer", "canary-other-id"),
        ("222233334444", "arn:aws:iam::222233334444:role/theirs", "canary-external-id"),
        ("333344445555", "arn:aws:iam::333344445555:role/countersign", "canary-third-id"),
    ],
)
def test_each_aws_account_has_its_role(config: Config, account: str, arn: str, external_id: str) -> None:
    accounts = config.accounts.aws.build()
    assert accounts.role_for(account) == AwsRole(arn=arn, external_id=SecretStr(external_id))
    assert accounts.region == "eu-central-1"


def test_each_project_has_its_service_account(config: Config) -> None:
    service_account_for = config.accounts.gcp.build().service_account_for
    assert service_account_for("acme-dev1") == "countersign@acme-dev1.iam.gserviceaccount.com"
    assert service_account_for("acme-prod") == "fixer@acme-ops.iam.gserviceaccount.com"
    assert (
        service_account_for("acme.example:legacy")
        == "countersign@legacy.acme.example.iam.gserviceaccount.com"
    )


@pytest.mark.parametrize("project", ["", "x", "Acme-Prod", "acme@evil", "acme-prod.evil.example", "a" * 40])
def test_what_is_no_project_is_not_impersonated(config: Config, project: str) -> None:
    with pytest.raises(PermanentActionError, match="not a project id") as caught:
        config.accounts.gcp.build().service_account_for(project)
    assert caught.value.cause is Cause.WRONG_ACCOUNT


def test_each_subscription_has_its_tenant_and_others_are_refused(config: Config) -> None:
    accounts = config.accounts.azure.build()
    assert accounts.tenant_of(FIRST) == HOME
    assert accounts.tenant_of(SECOND.upper()) == GUEST
    with pytest.raises(PermanentActionError, match="accounts.azure.subscriptions does not name") as caught:
        accounts.tenant_of("0b000000-0000-0000-0000-000000000003")
    assert caught.value.cause is Cause.WRONG_ACCOUNT


def test_without_the_section_everything_is_as_who_we_are() -> None:
    section = AccountsSection()
    assert section.aws.build().role_for("111122223333") is None
    assert section.gcp.build().service_account_for("any") is None
    assert section.azure.build().tenant_of("any") == ""


def test_the_secrets_do_not_show(config: Config) -> None:
    assert "canary" not in f"{config!r}{config.model_dump()}{config.model_dump_json()}"


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("aws: {role: 'arn:aws:iam::123456789012:role/x'}", "accounts.aws.role"),
        ("aws: {role: countersign}", "accounts.aws.role"),
        ("aws: {role: 'arn:aws:iam::{account_id}:user/x'}", "accounts.aws.role"),
        ("aws: {external_id: canary-id}", "external_id is of no use without role"),
        ("aws: {region: Frankfurt}", "accounts.aws.region"),
        ("aws: {overrides: {'123': {}}}", "accounts.aws.overrides"),
        ("aws: {overrides: {'123456789012': {}}}", "overrides.123456789012 names no role"),
        (
            "aws: {overrides: {'123456789012': {role: 'arn:aws:iam::210987654321:role/x'}}}",
            "names a role of account 210987654321",
        ),
        ("aws: {rolle: x}", "did you mean role"),
        ("gcp: {service_account: someone@example.com}", "accounts.gcp.service_account"),
        ("azure: {tenant: acme.onmicrosoft.com}", "accounts.azure.tenant"),
        ("azure: {subscriptions: [prod]}", "accounts.azure.subscriptions"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, section: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"policy: {{approvers: [S0SEC]}}\naccounts: {{{section}}}\n")
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("secret", ["canary id", "c", "canary-\u00e9", ""])
def test_an_external_id_that_aws_would_not_take_is_refused_unseen(tmp_path: Path, secret: str) -> None:
    role = "role: 'arn:aws:iam::{account_id}:role/x'"
    with pytest.raises(ConfigError, match="accounts.aws.external_id: ") as caught:
        read(
            tmp_path,
            f"policy: {{approvers: [S0SEC]}}\naccounts: {{aws: {{{role}, external_id: '{secret}'}}}}\n",
        )
    assert "canary" not in str(caught.value)


def test_the_bots_actions_act_in_the_configured_accounts(tmp_path: Path) -> None:
    """From the file to the action: with a role that is wrong on purpose, an action is refused by that role's name."""
    config = read(tmp_path, FILE)
    [action] = [
        one
        for one in make_planner(Settings(), config).registry.actions()
        if one.key == "s3:put-public-access-block"
    ]
    target = Target(provider="aws", resource="arn:aws:s3:::acme", account_id="12345", region="us-east-1")
    with pytest.raises(PermanentActionError, match="not an AWS account id"):
        action.plan(target, action.params_model())


class Chain:
    """A default credential that notes what it is asked for."""

    def __init__(self, tenant: str) -> None:
        self.allowed = tenant
        self.asked: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def get_token(self, *scopes: str, **options: Any) -> str:
        self.asked.append((scopes, options))
        return "token"

    def get_token_info(self, *scopes: str, options: dict[str, Any] | None = None) -> str:
        self.asked.append((scopes, options or {}))
        return "token info"


def test_tokens_are_asked_for_in_one_tenant_whatever_a_challenge_says() -> None:
    made: list[Chain] = []

    def chain_of(tenant: str) -> Chain:
        made.append(Chain(tenant))
        return made[-1]

    credential = TenantCredential(HOME, chain_of)
    assert made == []
    assert credential.get_token("arm", claims="c", tenant_id="evil") == "token"
    assert credential.get_token_info("arm", options={"tenant_id": "evil", "enable_cae": True}) == "token info"
    [chain] = made
    assert chain.allowed == HOME
    assert chain.asked == [
        (("arm",), {"claims": "c", "tenant_id": HOME}),
        (("arm",), {"tenant_id": HOME, "enable_cae": True}),
    ]


class Noted:
    """Clients of one tenant."""

    def __init__(self, credential: TenantCredential | None) -> None:
        self.credential = credential

    def client(self, service: str, *, subscription: str) -> Any:
        return self, service, subscription


def test_clients_are_made_once_per_tenant_and_never_for_other_subscriptions(config: Config) -> None:
    clients = TenantClients(config.accounts.azure.build(), Noted)
    first, service, subscription = clients.client("azure-network", subscription=FIRST)
    assert (service, subscription) == ("azure-network", FIRST)
    assert first.credential._tenant == HOME
    assert clients.client("azure-storage", subscription=FIRST)[0] is first
    assert clients.client("azure-network", subscription=SECOND)[0].credential._tenant == GUEST
    with pytest.raises(PermanentActionError):
        clients.client("azure-network", subscription="0b000000-0000-0000-0000-000000000003")


def test_without_a_tenant_the_default_credential_is_its_own() -> None:
    clients = TenantClients(AccountsSection().azure.build(), Noted)
    assert clients.client("azure-network", subscription=FIRST)[0].credential is None


def test_the_default_chain_is_the_sdks_own() -> None:
    chain = default_chain(HOME)
    assert type(chain).__name__ == "DefaultAzureCredential"
    chain.close()


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(PermanentActionError, match=r"pip install 'countersign\[azure\]'"):
        TenantCredential(HOME).get_token("arm")


def test_reading_the_configuration_loads_no_sdk() -> None:
    script = (
        "import sys\n"
        "from bot.accounts import AccountsSection\n"
        "AccountsSection().to_clouds()\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'boto3', 'botocore', 'azure', 'google'}])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_target_that_names_more_than_one_resource_gets_no_client() -> None:
    [action] = [
        one
        for one in make_planner(
            Settings(), Config.model_validate({"policy": {"approvers": ["S0SEC"]}})
        ).registry.actions()
        if one.key == "s3:put-public-access-block"
    ]
    for resource in ("arn:aws:s3:::acme-*", "arn:aws:s3:::acme-?", "arn:aws:s3:::${aws:username}"):
        with pytest.raises(PermanentActionError, match="is not one resource"):
            action.client("s3", Target(provider="aws", resource=resource), "plan")
