"""What the environment says. Only this package reads it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from audit.errors import ConfigError
from bot.links import ReportLinks
from bot.sections import check_web_address

DEFAULT_DATABASE = "sqlite:///countersign.db"
SHORTEST_KEY = 32
SLACK_API = "https://slack.com/api/"


class Settings(BaseSettings):
    """The environment's variables, by their own names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = SLACK_API
    # The address of a Postgres has its password in it.
    database_url: str = Field(default=DEFAULT_DATABASE, repr=False)
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
        return check_web_address(url).rstrip("/")

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
