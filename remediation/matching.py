"""Which playbook answers a finding, and why we think so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from audit.errors import NotFoundError
from audit.findings import Finding
from remediation.library import PlaybookLibrary
from remediation.playbook import CLOUDS, RemediationPlaybook


@dataclass(frozen=True, slots=True)
class Match:
    """A playbook that answers a finding. `why` completes “… because”."""

    playbook: RemediationPlaybook
    why: str


def find_playbook_for_finding(
    finding: Finding | Mapping[str, object], books: Mapping[str, RemediationPlaybook] | None = None
) -> str:
    """Return the id of the playbook that answers a finding best; the specification's function.

    Args:
        finding: a finding, or the specification's dictionary.
        books: the playbooks to choose from, by id; without them, the library.

    Raises:
        InputError: the dictionary is no finding.
        NotFoundError: none answers it.
    """
    asked = finding if isinstance(finding, Finding) else Finding.from_dict(finding)
    return match_playbook(
        asked, PlaybookLibrary.get_all_playbooks() if books is None else books
    ).playbook.playbook_id


def match_playbook(finding: Finding, books: Mapping[str, RemediationPlaybook]) -> Match:
    """Return the best match: by the scanner's check, by a control of a framework, by category and kind of resource.

    Raises:
        NotFoundError: none answers it.
    """
    if found := sure_match(finding, books) or next(_by_kind(finding, books), None):
        return found
    raise NotFoundError(
        f"No playbook answers {finding.handle} ({finding.check_id or finding.title[:80]}). See `/playbook list`."
    )


def sure_match(finding: Finding, books: Mapping[str, RemediationPlaybook]) -> Match | None:
    """Return the playbook for this very check or control; None where there is only a likeness, or nothing."""
    return next(chain(_by_check(finding, books), _by_control(finding, books)), None)


def _by_check(finding: Finding, books: Mapping[str, RemediationPlaybook]) -> Iterator[Match]:
    check = finding.check_id.casefold()
    for book in books.values():
        if check and check in map(str.casefold, book.checks):
            yield Match(book, f"it answers the check {finding.check_id}")


def _by_control(finding: Finding, books: Mapping[str, RemediationPlaybook]) -> Iterator[Match]:
    stated = {
        f"{framework}:{control}".casefold()
        for framework, ids in finding.compliance.items()
        for control in ids
    }
    for book in _of_the_cloud(finding, books):
        meant = controls_for(book, finding.provider)
        if known := next((control for control in meant if control.casefold() in stated), None):
            yield Match(book, f"it answers the control {known}")


def controls_for(book: RemediationPlaybook, provider: str) -> Iterator[str]:
    """Yield a playbook's controls as findings of a cloud state them; `gcp/CIS-2.0:3.8` is meant for that cloud alone."""
    for control in book.controls:
        cloud, slash, stated = control.partition("/")
        if not slash or cloud not in CLOUDS:
            yield control
        elif cloud == provider:
            yield stated


def _by_kind(finding: Finding, books: Mapping[str, RemediationPlaybook]) -> Iterator[Match]:
    kind, category = finding.resource_type.casefold(), finding.category.casefold()
    for book in _of_the_cloud(finding, books):
        is_kind = kind and kind in map(str.casefold, book.resource_types)
        if is_kind and book.finding_category.casefold() == category:
            yield Match(
                book, f"it is for {book.finding_category} findings on {finding.resource_type}; look closely"
            )


def _of_the_cloud(
    finding: Finding, books: Mapping[str, RemediationPlaybook]
) -> Iterator[RemediationPlaybook]:
    """Yield the playbooks that act on the finding's cloud: CIS numbers its controls anew for each, so 6.1 is many things.

    Steps for a person are for the clouds that the playbook's controls name.
    """
    for book in books.values():
        named = {control.partition("/")[0] for control in book.controls}
        clouds = ({step.action_type for step in book.actions} | named) & CLOUDS
        if not clouds or not finding.provider or finding.provider in clouds:
            yield book
