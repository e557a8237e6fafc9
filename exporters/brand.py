"""How a report looks like its owner's: name, colour and logo, from the configuration's `brand:` section."""

import base64
import re
from dataclasses import dataclass

from audit.errors import ConfigError

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_WEB = re.compile(r"https://[^\s\"'<>]{1,500}", re.IGNORECASE)
_IMAGE_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_LINEAR_BELOW = 0.04045
_LARGEST_LOGO = 200_000
_DARK_BELOW = 0.179  # where white and black text have the same contrast (WCAG 2.2, relative luminance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Whose report it is.

    `colour` is `#rrggbb`. `logo` is a PNG, JPEG or GIF of at most 200 kB, put into the page itself; mail programs show no such
    images, so mails point to `logo_url` (https) instead.

    Raises:
        ConfigError: a colour, logo or address that cannot be used.
    """

    name: str = "Countersign"
    colour: str = "#1d3b53"
    logo: bytes = b""
    logo_url: str = ""

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise ConfigError(f"brand.colour “{self.colour[:20]}” must look like #1d3b53")
        if self.logo and (not self._logo_type or len(self.logo) > _LARGEST_LOGO):
            raise ConfigError("brand.logo must be a PNG, JPEG or GIF of at most 200 kB")
        if self.logo_url and not _WEB.fullmatch(self.logo_url):
            raise ConfigError("brand.logo_url must be an https address")

    @property
    def text_colour(self) -> str:
        """Return black or white, whichever can be read on the colour."""
        return "#ffffff" if self._luminance <= _DARK_BELOW else "#000000"

    @property
    def logo_data(self) -> str:
        """Return the logo as a `data:` address, or nothing."""
        if not self.logo:
            return ""
        return f"data:{self._logo_type};base64,{base64.b64encode(self.logo).decode()}"

    @property
    def _logo_type(self) -> str:
        return next((kind for mark, kind in _IMAGE_TYPES.items() if self.logo.startswith(mark)), "")

    @property
    def _luminance(self) -> float:
        red, green, blue = (_linear(int(self.colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """Undo sRGB's gamma (WCAG 2.2, relative luminance)."""
    return channel / 12.92 if channel <= _LINEAR_BELOW else ((channel + 0.055) / 1.055) ** 2.4
