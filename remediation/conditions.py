"""When a step applies: a small language about the finding, in which nothing can run.

    finding.provider == "aws" and finding.region not in ["us-gov-west-1"]
    finding.severity >= "HIGH" and "public" in finding.title

Paths of the finding, constants, comparisons, `in`, `and`, `or`, `not`: anything else is refused when the playbook
is read. Severities are compared by how bad they are.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

from audit.errors import InputError
from audit.findings import FINDING_FIELDS, Finding, Severity
from audit.wording import nearest

LONGEST = 500
MOST_PARTS = 100
_EQUAL: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MEMBER = (ast.In, ast.NotIn)
_FIELDS = frozenset(FINDING_FIELDS) - {"observed_at"}
_SEARCHABLE = _FIELDS - {"muted"}


class Condition:
    """A condition that was read and found sound; evaluating it cannot fail.

    Raises:
        InputError: it says something the language does not have; names the part.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = _parse(text)
        _check(self._tree)

    def holds(self, finding: Finding) -> bool:
        """Tell whether it is true of a finding."""
        return bool(_value(self._tree, _facts(finding)))


def _parse(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise InputError(f"a condition has at most {LONGEST} characters; this has {len(text):,}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f'“{text[:80]}” is not a condition, such as finding.region == "eu-west-1"') from None
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS:
        raise InputError(f"a condition has at most {MOST_PARTS} parts")
    return tree


def _check(node: ast.expr) -> None:
    """Let through what has a truth: a comparison, a path, or several joined."""
    match node:
        case ast.BoolOp():
            for part in node.values:
                _check(part)
        case ast.UnaryOp(op=ast.Not()):
            _check(node.operand)
        case ast.Compare():
            _check_comparison(node)
        case _:
            _check_operand(node)


def _check_comparison(node: ast.Compare) -> None:
    if len(node.ops) != 1:
        raise InputError(f"“{ast.unparse(node)}”: compare two things at a time, joined with `and`")
    left, right = node.left, node.comparators[0]
    _check_operand(left)
    _check_operand(right)
    if isinstance(node.ops[0], _MEMBER):
        _check_container(right)
    elif type(node.ops[0]) in _ORDER:
        for side in (left, right):
            _check_severity(side)
    elif type(node.ops[0]) not in _EQUAL:
        raise InputError(f"“{ast.unparse(node)}” compares in a way that conditions do not have")


def _check_operand(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=str() | int() | None):
            return
        case ast.List(elts=entries) | ast.Tuple(elts=entries) if all(
            isinstance(e, ast.Constant) for e in entries
        ):
            for entry in entries:
                _check_operand(entry)
        case ast.Attribute(value=ast.Name(id="finding"), attr=name):
            _check_field(name)
        case _:
            raise InputError(
                f"“{ast.unparse(node)[:80]}” is not allowed: a condition has paths such as finding.region, "
                "constants, comparisons, `in`, `and`, `or` and `not`"
            )


def _check_field(name: str) -> None:
    if name not in _FIELDS:
        near = nearest(name, _FIELDS)
        raise InputError(
            f"a finding has no {name[:40]}" + (f"; did you mean finding.{near}?" if near else "")
        )


def _check_container(node: ast.expr) -> None:
    is_list = isinstance(node, ast.List | ast.Tuple)
    if not is_list and not (isinstance(node, ast.Attribute) and node.attr in _SEARCHABLE):
        raise InputError(f"“in {ast.unparse(node)[:80]}”: look in a list or in one of the finding's texts")


def _check_severity(node: ast.expr) -> None:
    """Let through what has an order: the finding's severity, or a severity word."""
    if isinstance(node, ast.Attribute) and node.attr == "severity":
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        Severity.parse(node.value)
        return
    raise InputError(
        f"“{ast.unparse(node)[:80]}” has no order: only severities are compared with <, <=, > and >="
    )


def _facts(finding: Finding) -> Mapping[str, object]:
    facts: dict[str, object] = {name: getattr(finding, name) for name in _FIELDS}
    facts["severity"], facts["status"] = finding.severity.value, finding.status.value
    return MappingProxyType(facts)


def _value(node: ast.expr, facts: Mapping[str, object]) -> object:
    match node:
        case ast.BoolOp():
            join = all if isinstance(node.op, ast.And) else any
            return join(_value(part, facts) for part in node.values)
        case ast.UnaryOp():
            return not _value(node.operand, facts)
        case ast.Compare():
            left, right = _value(node.left, facts), _value(node.comparators[0], facts)
            return _compare(type(node.ops[0]), left, right)
        case ast.Attribute():
            return facts[node.attr]
        case ast.List(elts=entries) | ast.Tuple(elts=entries):
            return tuple(_value(entry, facts) for entry in entries)
        case ast.Constant():
            return node.value
    raise AssertionError(f"unchecked condition: {ast.dump(node)}")


def _compare(operation: type[ast.cmpop], left: object, right: object) -> bool:
    if operation in _EQUAL:
        return _EQUAL[operation](left, right)
    if operation in _ORDER:
        return _ORDER[operation](_badness(left), _badness(right))
    return _contains(right, left) is (operation is ast.In)


def _contains(container: object, item: object) -> bool:
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    return isinstance(container, tuple | Mapping) and item in container


def _badness(severity: object) -> int:
    return -Severity.parse(str(severity)).rank
