"""What the environment and the configuration file say. Only this package reads either."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit.errors import ConfigError, InputError
from audit.ingest import check_columns
from audit.strict_yaml import load_yaml
from bot.accounts import AccountsSection
from bot.config_errors import explain
from bot.equipping import RawCallName, ScriptsSection, Targets
from bot.links import ReportLinks
from bot.protection import ProtectionSection
from exporters.brand import Brand
from remediation.policy import DEFAULT_EXPIRY, Policy
from remediation.protection import Protection

DEFAULT_DATABASE = "sqlite:///countersign.db"
SHORTEST_KEY = 32
SLACK_API = "https://slack.com/api/"
Approver = Annotated[str, StringConstraints(pattern=r"^([UWS][A-Z0-9]{2,}|[^@\s]+@[^@\s]+)$")]
ChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,}$")]


class Settings(BaseSettings):
    """The environment's variables, by their own names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = SLACK_API
    database_url: str = DEFAULT_DATABASE
    countersign_config: Path | None = None
    countersign_loopback_only: bool = False
    countersign_public_url: str = ""
    countersign_secret_key: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)

    @field_validator("slack_api_url")
    @classmethod
    def _check_api_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError(f"must be an address such as {SLACK_API}")
        return url if url.endswith("/") else f"{url}/"

    @field_validator("countersign_public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        return _web_address(url).rstrip("/")

    def report_links(self) -> ReportLinks | None:
        """Return what makes links to reports; None where no public address is set.

        Raises:
            ConfigError: there is an address and no key, or one that is too short to be safe.
        """
        if not self.countersign_public_url:
            return None
        key = self.countersign_secret_key.get_secret_value() if self.countersign_secret_key else ""
        if len(key) < SHORTEST_KEY:
            raise ConfigError(
                f"COUNTERSIGN_SECRET_KEY must have at least {SHORTEST_KEY} characters where COUNTERSIGN_PUBLIC_URL is set: "
                "make one with `openssl rand -hex 32`"
            )
        return ReportLinks(self.countersign_public_url, key)

    @property
    def config_folder(self) -> Path:
        """Return the folder that relative paths in the configuration start from."""
        return self.countersign_config.parent if self.countersign_config else Path()

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigError: a variable has a value it cannot have; names it.
        """
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            said = first["msg"].removeprefix("Value error, ")
            raise ConfigError(f"{str(first['loc'][0]).upper()}: {said}") from None

    def require_slack(self) -> None:
        """Check that everything needed to talk with Slack is there, and of the right kind.

        Raises:
            ConfigError: names the first variable that is missing or mixed up, and where to find its value.
        """
        _require(
            self.slack_bot_token, "SLACK_BOT_TOKEN", "xoxb-", "“OAuth & Permissions” in your app's settings"
        )
        if self.slack_app_token:
            _require(
                self.slack_app_token, "SLACK_APP_TOKEN", "xapp-", "“Basic Information → App-Level Tokens”"
            )
        else:
            _require(
                self.slack_signing_secret,
                "SLACK_SIGNING_SECRET",
                "",
                "“Basic Information” (or set SLACK_APP_TOKEN)",
            )
        if self.countersign_loopback_only and not is_loopback(self.slack_api_url):
            raise ConfigError(
                "SLACK_API_URL: COUNTERSIGN_LOOPBACK_ONLY allows addresses of this machine only"
            )


def _web_address(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    return url


def _require(secret: SecretStr | None, name: str, prefix: str, where: str) -> None:
    value = secret.get_secret_value().strip() if secret else ""
    if not value:
        raise ConfigError(f"{name} is not set: copy it from {where}")
    if not value.startswith(prefix):
        raise ConfigError(f"{name} does not begin with {prefix}: copy it from {where}")


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine, judged by its text alone."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PolicySection(_Section):
    """Who may approve, and what it takes."""

    approvers: list[Approver] = Field(
        min_length=1, description="Slack member ids (U…), user group ids (S…) or email addresses."
    )
    required_approvals: int = Field(default=1, ge=1, le=10)
    allow_self_approval: bool = Field(
        default=False, description="For one-person teams only; every card says that it is on."
    )
    expires_after_minutes: int = Field(
        default=int(DEFAULT_EXPIRY.total_seconds() // 60), ge=5, le=60 * 24 * 30
    )
    unattended_playbooks: list[str] = Field(
        default_factory=list, description="Playbooks that may run without a person, by id."
    )

    def to_policy(self, protection: Protection) -> Policy:
        """Return the rules as remediation knows them."""
        groups = frozenset(name for name in self.approvers if name.startswith("S") and "@" not in name)
        return Policy(
            approvers=frozenset(self.approvers) - groups,
            approver_groups=groups,
            required_approvals=self.required_approvals,
            allow_self_approval=self.allow_self_approval,
            unattended_playbooks=frozenset(self.unattended_playbooks),
            expires_after=timedelta(minutes=self.expires_after_minutes),
            protection=protection,
        )


class BrandSection(_Section):
    """How reports and mails look like yours."""

    name: str = Field(default="Countersign", min_length=1, max_length=80)
    colour: str = Field(default="#1d3b53", description="Such as #1d3b53.")
    logo: Path | None = Field(
        default=None, description="A PNG, JPEG or GIF of at most 200 kB, beside this file."
    )
    logo_url: str = Field(default="", description="An https address of the same picture, for mails.")

    def to_brand(self, folder: Path) -> Brand:
        """Return the brand; a relative logo is looked for in the folder of the configuration.

        Raises:
            ConfigError: the logo cannot be read, or something cannot be used.
        """
        try:
            logo = (folder / self.logo).read_bytes() if self.logo else b""
        except OSError as error:
            raise ConfigError(f"brand.logo {self.logo} cannot be read ({reason(error)})") from None
        return Brand(name=self.name, colour=self.colour, logo=logo, logo_url=self.logo_url)


class EmailSection(_Section):
    """Where mails may go."""

    allowed_domains: list[str] | None = Field(
        default=None,
        description="Mail goes to these domains and their subdomains only; without it, anywhere.",
    )
    dashboard_url: str = Field(
        default="", description="Where the mails' View Dashboard button leads; without it there is none."
    )

    @field_validator("dashboard_url")
    @classmethod
    def _check_dashboard_url(cls, url: str) -> str:
        return _web_address(url)


class TrailSection(_Section):
    """Where the trail's head is noted outside the database, so that a cut at its end shows."""

    anchor_file: Path | None = Field(
        default=None, description="A file that each noted head is added to, best on another machine's disk."
    )
    anchor_channel: ChannelId | None = Field(
        default=None, description="A channel that each noted head is posted to."
    )
    anchor_every_hours: int = Field(default=24, ge=1, le=24 * 31)


class IngestSection(_Section):
    """How files of your own are read."""

    csv_columns: dict[str, str] = Field(
        default_factory=dict,
        description="Fields of a finding by column, for CSV files in no known format, such as Finding: title.",
    )

    @field_validator("csv_columns")
    @classmethod
    def _check_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        try:
            return dict(check_columns(columns)) if columns else {}
        except InputError as error:
            raise ValueError(str(error)) from None


class Config(_Section):
    """The file that COUNTERSIGN_CONFIG names."""

    policy: PolicySection
    protection: ProtectionSection = Field(default_factory=ProtectionSection)
    accounts: AccountsSection = Field(default_factory=AccountsSection)
    brand: BrandSection = Field(default_factory=BrandSection)
    email: EmailSection = Field(default_factory=EmailSection)
    trail: TrailSection = Field(default_factory=TrailSection)
    ingest: IngestSection = Field(default_factory=IngestSection)
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


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, in a few words."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "not UTF-8 text"
