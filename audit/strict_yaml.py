"""Reading YAML that people write, without YAML's surprises.

Safe types only, no aliases (they can expand without bound), no duplicate keys (the later one would win
in silence), at most 256 kB. Every refusal names the place.
"""

from collections.abc import Hashable, Sequence

import yaml

from audit.errors import InputError

MAX_BYTES = 256 * 1024


# What PyYAML's constructors raise over a value that does not fit its type: `2026-13-45`, `!!int "x"`, `!!bool maybe`,
# `!!timestamp tomorrow`.
_MISFITS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, stricter."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002 - PyYAML's signature
        try:
            return super().construct_object(node, deep)
        except _MISFITS:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"this is no {kind}", node.start_mark
            ) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 - PyYAML's signature
        self._check_keys(node)
        return super().construct_mapping(node, deep)

    def _check_keys(self, node: yaml.Node) -> None:
        if not isinstance(node, yaml.MappingNode):  # `!!map x`, which PyYAML refuses itself
            return
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a plain word or number", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key “{key}” stands here twice", key_node.start_mark
                )
            seen.add(key)


def load_yaml(text: str, *, name: str) -> object:
    """Return the document's value.

    Args:
        text: the file's content.
        name: what to call it in an error.

    Raises:
        InputError: too long, not YAML, or one of the surprises; names file, line and column.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InputError(f"{name}: larger than {MAX_BYTES // 1024} kB")
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{name}{place}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{name}: not readable as YAML ({type(error).__name__})") from None


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Return the line, from 1, of the value that keys and positions lead to; of the last one there is, where they lead nowhere."""
    node = yaml.compose(text, Loader=_StrictLoader)
    line = 0
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line + 1


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    """Return a child and the line it begins in: its key's, in a mapping."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child.start_mark.line, child
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, child) for key, child in node.value if key.value == step), None)
    return None
