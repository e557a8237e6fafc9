"""The nearest match: what a typing error most likely meant."""

import pytest

from audit.wording import nearest

KNOWN = ("AWS-PUBLIC-S3", "AWS-EBS", "html", "json")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("AWS-PUBLC-S3", "AWS-PUBLIC-S3"),
        ("aws-public-s4", "AWS-PUBLIC-S3"),
        ("HTLM", "html"),
        ("docx", None),
        ("", None),
        ("html" + "x" * 10_000, None),
    ],
)
def test_the_nearest_word_is_named_as_it_is_written(word: str, meant: str | None) -> None:
    assert nearest(word, KNOWN) == meant


def test_nothing_is_near_where_nothing_is_known() -> None:
    assert nearest("html", []) is None
