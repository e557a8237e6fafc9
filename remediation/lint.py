"""Everything that is wrong with a playbook file, each with its line and what it could be instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from audit.errors import InputError
from audit.findings import Severity
from audit.strict_yaml import line_of, load_yaml
from audit.wording import nearest
from remediation.actions.registry import ActionRegistry
from remediation.conditions import Condition
from remediation.planning import refuse_unsigned
from remediation.playbook import PlaybookAction
from remediation.playbook_file import ActionEntry, PlaybookEntry
from remediation.prerequisites import refuse_unknown
from remediation.templating import check_templates

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong, and the line it is wrong in, from 1."""

    line: int
    text: str


def lint_playbook(text: str, *, registry: ActionRegistry) -> list[Mistake]:
    """Return every mistake of a playbook file, in the order of its lines; none where it can be used.

    Args:
        text: the YAML.
        registry: the actions that its steps can be.

    Raises:
        InputError: it is not YAML at all; the text names line and column.
    """
    entries = load_yaml(text, name="not a playbook")
    try:
        book = PlaybookEntry.model_validate(entries)
    except ValidationError as error:
        found = [
            (tuple(wrong["loc"]), _words(wrong["type"], wrong["msg"], wrong["loc"]))
            for wrong in error.errors()
        ]
    else:
        found = [*_look_through(book, registry)]
    return sorted({Mistake(line_of(text, path), said) for path, said in found})


def _words(kind: str, said: str, path: Sequence[str | int]) -> str:
    place = ".".join(map(str, path)) or "the file"
    if kind != "extra_forbidden":
        return f"{place}: {said}"
    known = ActionEntry.model_fields if "actions" in path[:1] else PlaybookEntry.model_fields
    near = nearest(str(path[-1]), known)
    return f"{place}: there is no such key; " + (
        f"did you mean {near}?" if near else f"there are {', '.join(known)}"
    )


def _look_through(book: PlaybookEntry, registry: ActionRegistry) -> Iterator[tuple[Path, str]]:
    """Yield what only shows once the file has its shape."""
    try:
        Severity.parse(book.severity)
    except InputError as error:
        yield ("severity",), f"severity: {error}"
    for position, name in enumerate(book.prerequisites):
        try:
            refuse_unknown([name])
        except InputError as error:
            yield ("prerequisites", position), str(error)
    try:
        refuse_unsigned(book)
    except InputError as error:
        yield ("requires_approval",), str(error)
    names: set[str] = set()
    for position, step in enumerate(book.actions):
        if step.action_name in names:
            yield ("actions", position, "action_name"), f"two actions are named {step.action_name}"
        names.add(step.action_name)
        yield from ((("actions", position, *path), said) for path, said in _look_at(step, registry))


def _look_at(step: ActionEntry, registry: ActionRegistry) -> Iterator[tuple[Path, str]]:
    written = PlaybookAction(step.action_name, step.action_type, step.params, step.condition)
    try:
        if step.condition is not None:
            Condition(step.condition)
    except InputError as error:
        yield ("condition",), f"action {step.action_name}: {error}"
    try:
        check_templates(step.params)
        registry.check(written)
    except InputError as error:
        said = str(error)
        yield ("params",), said if said.startswith("action ") else f"action {step.action_name}: {said}"
