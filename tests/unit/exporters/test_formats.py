import subprocess
import sys

import pytest

from audit.errors import InputError
from exporters.formats import EXPORT_FORMATS, export_formats, format_named


def test_the_formats_of_the_design_are_there() -> None:
    assert {
        "json", "csv", "tracker", "compliance", "summary", "html", "executive", "email",
        "sarif", "gitlab", "github", "jenkins", "ocsf",
    } <= set(EXPORT_FORMATS)  # fmt: skip


def test_every_format_makes_a_file_name_of_its_own() -> None:
    suffixes = [entry.suffix for entry in EXPORT_FORMATS.values()]
    assert len(set(suffixes)) == len(suffixes)
    assert all(name == entry.name and entry.description for name, entry in EXPORT_FORMATS.items())


def test_a_name_is_found_however_it_is_typed() -> None:
    assert format_named(" HTML ").name == "html"


def test_an_unknown_format_lists_the_formats_and_the_nearest() -> None:
    with pytest.raises(InputError) as told:
        format_named("jsn")
    assert "Did you mean json?" in str(told.value)
    assert all(name in str(told.value) for name in EXPORT_FORMATS)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        EXPORT_FORMATS["odd"] = EXPORT_FORMATS["json"]  # type: ignore[index]
    assert export_formats() is not EXPORT_FORMATS


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, exporters, exporters.formats, exporters.service;"
        "print({'jinja2', 'typst', 'css_inline'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
