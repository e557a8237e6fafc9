"""Playbooks in Python and in YAML are the same objects, and a wrong one is explained."""

import pytest

from audit.errors import InputError, NotFoundError
from audit.findings import Severity
from remediation import PlaybookLibrary, RemediationPlaybook
from remediation.library import find_playbook
from remediation.playbook_file import playbook_from_dict, read_playbook

GOOD = """
playbook_id: MINE
name: Mine
finding_category: Storage
severity: high
actions:
  - action_name: block
    action_type: aws
    params: {service: s3, action: put-public-access-block, params: {BlockPublicAcls: true}}
"""


def test_a_file_and_python_build_the_same() -> None:
    read = read_playbook(GOOD, name="mine.yaml")
    built = RemediationPlaybook("MINE", "Mine", "", "Storage", "HIGH")
    built.add_action(
        "block",
        "aws",
        {"service": "s3", "action": "put-public-access-block", "params": {"BlockPublicAcls": True}},
    )
    assert read.to_dict() == built.to_dict()
    assert read.version == built.version
    assert playbook_from_dict(built.to_dict(), name="x").to_dict() == built.to_dict()


def test_approval_and_rollback_are_on_unless_said_otherwise() -> None:
    book = read_playbook(GOOD, name="mine.yaml")
    assert (book.requires_approval, book.rollback_enabled, book.timeout_seconds) == (True, True, 300)


def test_every_word_of_a_playbook_counts_in_its_version() -> None:
    book, other = read_playbook(GOOD, name="a"), read_playbook(GOOD.replace("Mine", "Yours"), name="a")
    assert book.version != other.version


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("severity: high", "severity: awful"), "not a severity"),
        (("playbook_id: MINE", "playbook_id: mine!"), "playbook_id"),
        (("name: Mine", "nam: Mine"), "name"),
        (("actions:", "actions: []\nmore:"), "actions"),
        (("name: Mine", "name: Mine\nname: Twice"), "line 4.*twice"),
        (("name: Mine", "name: &a Mine\ndescription: *a"), "aliases"),
        (("name: Mine", "name: !!python/object/apply:os.system [x]"), "mine.yaml"),
        (("severity: high", "severity: high\ntimeout_seconds: 0"), "timeout_seconds"),
    ],
)
def test_a_wrong_file_is_explained(change: tuple[str, str], says: str) -> None:
    with pytest.raises(InputError, match=f"(?s){says}"):
        read_playbook(GOOD.replace(*change), name="mine.yaml")


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(InputError, match="256 kB"):
        read_playbook("#" * 300_000, name="huge.yaml")


def test_two_actions_of_one_name_are_refused() -> None:
    book = read_playbook(GOOD, name="mine.yaml")
    with pytest.raises(InputError, match="two actions named block"):
        book.add_action("block", "aws", {})


def test_the_library_has_the_specifications_playbook() -> None:
    book = PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]
    assert (book.name, book.finding_category, book.severity) == (
        "Fix Public S3 Bucket",
        "Storage",
        Severity.CRITICAL,
    )
    storage = PlaybookLibrary.get_playbook_by_category("storage")
    assert "AWS-PUBLIC-S3" in {found.playbook_id for found in storage}
    assert {found.finding_category for found in storage} == {"Storage"}
    assert "AWS-PUBLIC-S3" in {
        found.playbook_id for found in PlaybookLibrary.get_playbooks_by_severity("CRITICAL")
    }


def test_the_library_hands_out_copies() -> None:
    PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"].set_approval_required(required=False)
    assert PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"].requires_approval


def test_a_near_miss_is_named() -> None:
    books = PlaybookLibrary.get_all_playbooks()
    assert find_playbook("aws-public-s3", books).playbook_id == "AWS-PUBLIC-S3"
    with pytest.raises(NotFoundError, match="Did you mean AWS-PUBLIC-S3"):
        find_playbook("AWS-PUBLC-S3", books)
