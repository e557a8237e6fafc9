"""The configuration file. Only this package reads it."""

from pathlib import Path

from pydantic import Field, ValidationError

from audit.errors import ConfigError, InputError
from audit.strict_yaml import load_yaml
from bot.accounts import AccountsSection
from bot.config_errors import explain, reason
from bot.equipping import RawCallName, ScriptsSection, Targets
from bot.policy import PolicySection
from bot.protection import ProtectionSection
from bot.sections import (
    BrandSection,
    ChannelId,
    EmailSection,
    IngestSection,
    Section,
    SlaSection,
    TrailSection,
)
from remediation.policy import Policy


class Config(Section):
    """The file that COUNTERSIGN_CONFIG names."""

    policy: PolicySection
    protection: ProtectionSection = Field(default_factory=ProtectionSection)
    accounts: AccountsSection = Field(default_factory=AccountsSection)
    brand: BrandSection = Field(default_factory=BrandSection)
    email: EmailSection = Field(default_factory=EmailSection)
    trail: TrailSection = Field(default_factory=TrailSection)
    ingest: IngestSection = Field(default_factory=IngestSection)
    sla: SlaSection = Field(default_factory=SlaSection)
    playbooks: Path | None = Field(default=None, description="A folder of playbook files of your own.")
    notifications: Targets = Field(
        default_factory=dict, description="Apprise URLs by the names that playbooks use for them."
    )
    scripts: ScriptsSection | None = None
    raw_calls: list[RawCallName] = Field(
        default_factory=list,
        description="Calls to AWS that playbooks may make unplanned, as s3:delete-bucket-policy.",
    )
    environment: str = Field(default="", max_length=40, description="Shown on cards, such as “production”.")
    channel: ChannelId | None = Field(
        default=None, description="Where cards go for fixes that were not asked for in Slack."
    )

    def to_policy(self) -> Policy:
        """Return all rules as remediation knows them."""
        return self.policy.to_policy(self.protection.build())


def read_config(path: Path | None) -> Config:
    """Read the configuration file.

    Raises:
        ConfigError: it is not named, not readable, or says something it cannot say; names file and key.
    """
    if path is None:
        raise ConfigError(
            "COUNTERSIGN_CONFIG is not set: name a YAML file that says at least who may approve (policy.approvers)"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"COUNTERSIGN_CONFIG: {path} cannot be read ({reason(error)})") from None
    try:
        return Config.model_validate(load_yaml(text, name=str(path)))
    except InputError as error:
        raise ConfigError(str(error)) from None
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error, Config)}") from None
