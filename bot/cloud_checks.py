"""As whom the bot acts in the clouds: `countersign doctor` signs in for each account that the configuration names."""

from collections.abc import Iterator
from functools import partial

from audit.errors import ActionError, CountersignError
from bot.accounts import AwsSection, AzureSection, GcpSection
from bot.checks import Check, look
from bot.config import read_config
from bot.settings import Settings
from remediation.actions.aws.clients import Boto3Clients
from remediation.actions.aws.errors import is_unset
from remediation.actions.azure.tenants import sign_in as sign_in_to_azure
from remediation.actions.gcp.clients import GoogleClients


def check_clouds(settings: Settings) -> Iterator[Check]:
    """Yield a check per account; what is not configured is looked for where it costs nothing. Without a configuration, none."""
    try:
        accounts = read_config(settings.countersign_config).accounts
    except CountersignError:  # told by the configuration's own check
        return
    yield from _aws(accounts.aws)
    yield from _gcp(accounts.gcp)
    yield from _azure(accounts.azure)


def _aws(section: AwsSection) -> Iterator[Check]:
    clients = Boto3Clients(accounts=section.build())
    try:
        yield Check("aws", is_well=True, found=f"signed in to account {clients.account_id()}")
    except ActionError as error:
        is_meant = bool(section.role or section.overrides) or not is_unset(error)
        yield Check("aws", is_well=False if is_meant else None, found=error.explain())
        return
    for account in sorted(section.overrides):
        yield look(f"aws {account}", partial(_act_in, clients, account))
    if section.role and not section.overrides:
        found = "accounts.aws.role is a template: name accounts in overrides to have them tried here"
        yield Check("aws roles", is_well=None, found=found)


def _gcp(section: GcpSection) -> Iterator[Check]:
    if not (section.service_account or section.overrides):
        yield Check("gcp", is_well=None, found="accounts.gcp names nothing, so it is not tried")
        return
    clients = GoogleClients(impersonate=section.build().service_account_for)
    yield look("gcp", partial(_act_as, clients, ""))
    for project in sorted(section.overrides):
        yield look(f"gcp {project}", partial(_act_as, clients, project))


def _azure(section: AzureSection) -> Iterator[Check]:
    if not (section.tenant or section.overrides or section.subscriptions):
        yield Check("azure", is_well=None, found="accounts.azure names nothing, so it is not tried")
        return
    for tenant in sorted({section.tenant or "", *section.overrides.values()}):
        name = f"azure {tenant}" if tenant else "azure"
        yield look(name, partial(_token_of, tenant))


def _act_in(clients: Boto3Clients, account: str) -> str:
    return f"the role is ours in {clients.sign_in(account)}"


def _act_as(clients: GoogleClients, project: str) -> str:
    return f"acts as {clients.sign_in(project)}"


def _token_of(tenant: str) -> str:
    return f"a token is good until {sign_in_to_azure(tenant)}"
