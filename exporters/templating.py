"""Jinja2 the way every template here needs it: escaping on, no undefined names, nothing unshowable.

Jinja2 and css_inline are imported when the first page is made, not when the package is.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from exporters.brand import Brand
from exporters.text import clip, excerpt, one_line, showable

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATES = Path(__file__).parent / "templates"


def template(name: str) -> "Template":
    """Return a template of ours, compiled once."""
    return _environment().get_template(name)


def asset(name: str) -> Markup:
    """Return a style sheet or script of ours, to be put into the page."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of this package


def style_sheet(name: str, brand: Brand) -> Markup:
    """Return a style sheet of ours with the brand's two colours before it."""
    colours = f":root{{--brand:{brand.colour};--on-brand:{brand.text_colour}}}\n"
    return Markup(colours) + asset(name)  # noqa: S704 - Brand lets only #rrggbb pass


def mail_style_sheet(name: str, brand: Brand) -> Markup:
    """Return a style sheet of ours with the brand's two colours in it.

    Gmail and Outlook know no variables: they drop what names one, and the words on a button take a colour of their own.
    """
    colours = {"var(--brand)": brand.colour, "var(--on-brand)": brand.text_colour}
    text = str(asset(name))
    for variable, colour in colours.items():
        text = text.replace(variable, colour)
    return Markup(text)  # noqa: S704 - a file of this package; Brand lets only #rrggbb pass


def inline_styles(page: str) -> str:
    """Move the styles onto the elements, as mail programs want them; media queries stay in a style element.

    Nothing is fetched. css_inline is imported with the first mail.
    """
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True).inline(page)


def source_hash(content: str) -> str:
    """Return what a content security policy calls an inline style or script by (CSP 3, hash-source)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(clip=clip, excerpt=excerpt, one_line=one_line)
    return environment


def _shown(value: object) -> object:
    """Make every text fit to be shown on its way into a page; what is safe HTML already passed through it."""
    return showable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
