"""Parameters that quote the finding: `"{{ finding.region }}"`.

Jinja2's sandbox fills them in, and before that the template's syntax tree is held to a short list: the finding's fields and
three filters. There are no loops, calls, arithmetic or attributes of attributes to be clever with.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from audit.errors import InputError
from audit.findings import Finding
from audit.wording import nearest

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

LONGEST = 2000
MOST_FILTERS = 3
DEEPEST = 20
FILTERS = ("lower", "upper", "trim")
_FIELDS = (
    "id",
    "handle",
    "title",
    "severity",
    "category",
    "resource",
    "resource_type",
    "check_id",
    "provider",
    "account_id",
    "region",
    "service",
)


def is_template(value: object) -> bool:
    """Tell whether a value is a text that quotes something."""
    return isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value)


def check_templates(value: object, *, depth: int = 0) -> None:
    """Let pass what `fill_in` can fill in, in lists and mappings nested up to 20 deep.

    Raises:
        InputError: a template says something that is not allowed; names it.
    """
    if depth > DEEPEST:
        raise InputError(f"parameters are nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        for entry in value.values():
            check_templates(entry, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            check_templates(entry, depth=depth + 1)
    elif is_template(value):
        _check(str(value))


def fill_in(params: Mapping[str, object], finding: Finding) -> dict[str, object]:
    """Return parameters with the finding's own texts in place, at any depth. What is filled in is never read again.

    Raises:
        InputError: a template is not allowed, or what comes out has more than 2,000 characters.
    """
    return {name: _fill_in(value, finding) for name, value in params.items()}


def _fill_in(value: object, finding: Finding) -> object:
    if isinstance(value, Mapping):
        return {key: _fill_in(entry, finding) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_fill_in(entry, finding) for entry in value]
    return _render(str(value), finding) if is_template(value) else value


def _render(text: str, finding: Finding) -> str:
    _check(text)
    facts = {name: str(getattr(finding, name)) for name in _FIELDS}
    filled, length = [], 0
    # Piece by piece, so that a finding with endless texts, quoted often, is not first put together whole.
    for piece in _environment().from_string(text).generate(finding=facts):
        filled.append(piece)
        length += len(piece)
        if length > LONGEST:
            raise InputError(
                f"“{text[:80]}” comes out with more than {LONGEST:,} characters, which is the most that is allowed"
            )
    return "".join(filled)


@cache
def _environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Autoescape is for pages: a parameter goes to a cloud's API as it is.
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def _check(text: str) -> None:
    from jinja2 import TemplateSyntaxError, nodes

    if len(text) > LONGEST:
        raise InputError(f"a template has at most {LONGEST:,} characters")
    try:
        tree = _environment().parse(text)
    except (TemplateSyntaxError, RecursionError) as error:
        raise InputError(f"“{text[:80]}” is not a template: {str(error)[:200]}") from None
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            raise _refusal(text)
        for part in output.nodes:
            _check_part(part, text)


def _check_part(part: "nodes.Expr", text: str, *, filters: int = 0) -> None:
    from jinja2 import nodes

    if filters > MOST_FILTERS:  # Python compiles only so many brackets within brackets
        raise InputError(f"“{text[:80]}”: at most {MOST_FILTERS} filters follow each other")
    match part:
        case nodes.TemplateData():
            return
        case nodes.Filter(name=name, args=[], kwargs=[], dyn_args=None, dyn_kwargs=None) if (
            name in FILTERS and part.node
        ):
            _check_part(part.node, text, filters=filters + 1)
        case nodes.Getattr(node=nodes.Name(name="finding"), attr=field):
            _check_field(field)
        case _:
            raise _refusal(text)


def _check_field(field: str) -> None:
    if field not in _FIELDS:
        near = nearest(field, _FIELDS)
        hint = f"did you mean finding.{near}?" if near else f"there are {', '.join(_FIELDS)}"
        raise InputError(f"a template cannot quote finding.{field[:40]}; {hint}")


def _refusal(text: str) -> InputError:
    return InputError(
        f"“{text[:80]}”: a template quotes the finding, such as {{{{ finding.region }}}}, with the filters {', '.join(FILTERS)}; "
        "nothing else"
    )
