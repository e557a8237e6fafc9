"""The playbooks that ship with the product, one YAML file each."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from audit.errors import InputError, NotFoundError
from audit.findings import Severity
from audit.wording import nearest
from remediation.playbook import RemediationPlaybook
from remediation.playbook_file import read_playbook


class PlaybookLibrary:
    """The specification's catalogue. Every call returns playbooks of your own to change."""

    @staticmethod
    def get_all_playbooks() -> dict[str, RemediationPlaybook]:
        """Return all playbooks by id."""
        books = [read_playbook(text, name=name) for name, text in _files()]
        return {book.playbook_id: book for book in books}

    @staticmethod
    def get_playbook_by_category(category: str) -> list[RemediationPlaybook]:
        """Return the playbooks of a category such as `Storage`, in any case."""
        wanted = category.casefold()
        books = PlaybookLibrary.get_all_playbooks().values()
        return [book for book in books if book.finding_category.casefold() == wanted]

    @staticmethod
    def get_playbooks_by_severity(severity: str) -> list[RemediationPlaybook]:
        """Return the playbooks of a severity.

        Raises:
            InputError: the word is no severity.
        """
        wanted = Severity.parse(severity)
        books = PlaybookLibrary.get_all_playbooks().values()
        return [book for book in books if book.severity is wanted]


@cache
def _files() -> tuple[tuple[str, str], ...]:
    folder = resources.files("remediation.library")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name
    )
    if not files:
        raise InputError("the playbook library is missing from this installation")
    return tuple((file.name, file.read_text(encoding="utf-8")) for file in files)


def find_playbook(playbook_id: str, books: Mapping[str, RemediationPlaybook]) -> RemediationPlaybook:
    """Return the playbook of `books` that has this id, in any case.

    Raises:
        NotFoundError: there is none; names the nearest, or where few are to be named, all.
    """
    by_folded = {known.casefold(): book for known, book in books.items()}
    if book := by_folded.get(playbook_id.strip().casefold()):
        return book
    near = nearest(playbook_id, books)
    hint = f"Did you mean {near}?" if near else f"There are: {', '.join(books)}."
    raise NotFoundError(f"There is no playbook “{playbook_id[:80]}”. {hint}")
