"""`countersign playbook permissions`: what to give the bot, as each cloud takes it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from bot.commands.console import one_line_errors, print_json

if TYPE_CHECKING:
    from bot.permissions import JsonObject
    from remediation import RemediationPlaybook
    from remediation.actions.contract import Action

EXTERNAL_ID = "YOUR-EXTERNAL-ID"


class Cloud(StrEnum):
    """The clouds, as action types name them."""

    AWS = "aws"
    GCP = "gcp"
    AZURE = "azure"


_HOW = {
    Cloud.AWS: "An AWS policy for {books}. Attach it to the role that the bot acts in:",
    Cloud.GCP: "A Google Cloud role for {books}. gcloud iam roles create countersign --project=PROJECT --file=FILE with:",
    Cloud.AZURE: "An Azure role for {books}. az role definition create --role-definition @FILE with:",
}


def print_permissions(
    playbook_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="One playbook; all if left out.")
    ] = None,
    *,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Only what planning reads with.")] = False,
    cloud: Annotated[
        Cloud | None, typer.Option("--cloud", help="Which cloud, where playbooks are about several.")
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option(
            "--trust", metavar="ARN", help="Instead: the AWS roles' trust policy, for who the bot runs as."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON and no word beside it.")] = False,
) -> None:
    """Print the policy or role that the bot needs, and nothing beyond it."""
    with one_line_errors():
        if trust is not None:
            said, document = _trust(trust)
        else:
            said, document = _permissions(playbook_id, plan_only=plan_only, cloud=cloud)
    if not as_json:
        for line in said:
            typer.echo(line, err=True)
    print_json(document)


def _trust(principal: str) -> "tuple[list[str], JsonObject]":
    from bot.permissions import build_trust_policy

    said = f"The trust policy of each role that the bot assumes. For {EXTERNAL_ID} put what accounts.aws.external_id says:"
    return [said], build_trust_policy(principal, external_id=EXTERNAL_ID)


def _permissions(
    playbook_id: str | None, *, plan_only: bool, cloud: Cloud | None
) -> "tuple[list[str], JsonObject]":
    from audit.errors import InputError

    books = _books(playbook_id)
    by_cloud = _actions_by_cloud(books)
    chosen = cloud or next(iter(by_cloud), None)
    if chosen not in by_cloud:
        where = f"on {cloud.value}" if cloud else "on a cloud"
        raise InputError(f"{_list(books)}: nothing is done {where}, so nothing needs to be allowed")
    document = _document(chosen, by_cloud[chosen], plan_only=plan_only)
    others = [other.value for other in by_cloud if other is not chosen and cloud is None]
    return [*_warnings(document), *_others(others), _HOW[chosen].format(books=_list(books))], document


def _document(cloud: Cloud, actions: "Sequence[Action[Any]]", *, plan_only: bool) -> "JsonObject":
    from bot.permissions import build_aws_policy, build_azure_role, build_gcp_role

    if cloud is Cloud.AWS:
        return build_aws_policy(actions, plan_only=plan_only)
    if cloud is Cloud.GCP:
        return build_gcp_role(actions, plan_only=plan_only)
    return build_azure_role(actions, plan_only=plan_only, subscriptions=_subscriptions())


def _subscriptions() -> list[str]:
    """Return the subscriptions that the configuration names, where there is one."""
    from bot.config import read_config
    from bot.settings import Settings

    path = Settings.from_environment().countersign_config
    return list(read_config(path).accounts.azure.subscriptions or ()) if path else []


def _warnings(document: "JsonObject") -> list[str]:
    from bot.permissions import LONGEST_AWS_POLICY, SUBSCRIPTION_PLACEHOLDER

    length = len(orjson.dumps(document))
    if "Statement" in document and length > LONGEST_AWS_POLICY:
        return [
            f"It has {length:,} characters and AWS takes {LONGEST_AWS_POLICY:,} in one policy: print one per playbook."
        ]
    if SUBSCRIPTION_PLACEHOLDER in str(document):
        return ["Put your own subscriptions into AssignableScopes, or name them in accounts.azure."]
    return []


def _others(others: Sequence[str]) -> list[str]:
    return [f"They also do things on {other}: add --cloud {other}." for other in others]


def _books(playbook_id: str | None) -> "list[RemediationPlaybook]":
    from bot.playbooks import playbooks_at_hand
    from remediation.library import find_playbook

    books = playbooks_at_hand()
    return [find_playbook(playbook_id, books)] if playbook_id is not None else list(books.values())


def _actions_by_cloud(books: "Sequence[RemediationPlaybook]") -> "dict[Cloud, list[Action[Any]]]":
    """Return the actions of the playbooks' steps by cloud, AWS first."""
    from bot.playbooks import registry_at_hand

    registry = registry_at_hand()
    clouds = {cloud.value: cloud for cloud in Cloud}
    found: dict[Cloud, list[Action[Any]]] = {cloud: [] for cloud in Cloud}
    for step in (step for book in books for step in book.actions):
        if step.action_type in clouds:
            found[clouds[step.action_type]].append(registry.action_of(step))
    return {cloud: actions for cloud, actions in found.items() if actions}


def _list(books: "Sequence[RemediationPlaybook]") -> str:
    return ", ".join(book.playbook_id for book in books)
