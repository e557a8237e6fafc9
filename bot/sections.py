"""The configuration's smaller sections."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from audit.errors import ConfigError, InputError
from audit.findings import Severity
from audit.ingest import check_columns
from audit.lifecycle import Sla
from bot.config_errors import reason
from exporters.brand import Brand

ChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,}$")]


def check_web_address(url: str) -> str:
    """Let an address pass, or none.

    Raises:
        ValueError: it is no address of the web.
    """
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    return url


class Section(BaseModel):
    """A part of the configuration: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BrandSection(Section):
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


class EmailSection(Section):
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
        return check_web_address(url)


class TrailSection(Section):
    """Where the trail's head is noted outside the database, so that a cut at its end shows."""

    anchor_file: Path | None = Field(
        default=None, description="A file that each noted head is added to, best on another machine's disk."
    )
    anchor_channel: ChannelId | None = Field(
        default=None, description="A channel that each noted head is posted to."
    )
    anchor_every_hours: int = Field(default=24, ge=1, le=24 * 31)


class IngestSection(Section):
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


class SlaSection(Section):
    """How many days a finding may stay open, by severity; null: as long as it takes."""

    critical_days: int | None = Field(default=7, ge=1, le=3650)
    high_days: int | None = Field(default=30, ge=1, le=3650)
    medium_days: int | None = Field(default=90, ge=1, le=3650)
    low_days: int | None = Field(default=180, ge=1, le=3650)
    info_days: int | None = Field(default=None, ge=1, le=3650)

    def to_sla(self) -> Sla:
        """Return the due dates."""
        days = {severity: getattr(self, f"{severity.lower()}_days") for severity in Severity}
        return Sla(limits={severity: timedelta(days=count) for severity, count in days.items() if count})
