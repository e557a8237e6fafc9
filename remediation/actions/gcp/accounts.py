"""As which service account the bot acts in which Google Cloud project. Data only: the configuration fills it in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.errors import Cause, PermanentActionError

PROJECT_FIELD = "{project}"
# Resource Manager, `projects`, `projectId`; the part before the colon is the domain of projects made long ago.
PROJECT = re.compile(r"(?:(?P<domain>[a-z0-9.-]+):)?(?P<name>[a-z][a-z0-9-]{4,28}[a-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class GcpAccounts:
    """The service accounts to impersonate, by project.

    `service_account` is the template for every project that `overrides` does not name, an address with `{project}` in it. For a
    project with neither the bot acts as whoever its default credentials are.
    """

    service_account: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)

    def service_account_for(self, project: str) -> str | None:
        """Return the address of the service account to act as in a project; None says as ourselves.

        Raises:
            PermanentActionError: the project is no project id.
        """
        template = self.overrides.get(project, self.service_account)
        if not template:
            return None
        match = PROJECT.fullmatch(project)
        if match is None:
            raise PermanentActionError(
                f"“{project[:60]}” is not a project id: look at accounts.gcp", cause=Cause.WRONG_ACCOUNT
            )
        # In addresses `example.com:acme-prod` reads `acme-prod.example.com`.
        domain = match["domain"]
        return template.replace(PROJECT_FIELD, f"{match['name']}.{domain}" if domain else match["name"])
