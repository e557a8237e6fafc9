"""What is wrong with the configuration, in words that say what to write instead."""

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from audit.wording import nearest


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first mistake in one line: the key, what is wrong, what it could be."""
    # A key nobody knows is most often a known one misspelt, which is missing for that very reason.
    first = min(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
    place = ".".join(map(str, first["loc"]))
    if first["type"] in {"model_type", "model_attributes_type"} and not place:
        return "the file says nothing we can use: it must be keys and values, at least policy.approvers"
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = list(_keys(model))
        near = nearest(key, known)
        return f"{place}: there is no such key; " + (
            f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        )
    if first["type"] == "missing":
        return f"{place}: is missing{_hint(model, first['loc'])}"
    if first["type"] == "string_pattern_mismatch":
        return f"{place}: “{str(first['input'])[:60]}” cannot be used{_hint(model, first['loc'])}"
    return f"{place}: {first['msg']}{_hint(model, first['loc'])}"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        if section := _section(field.annotation):
            yield from _keys(section)


def _hint(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Return the description of the key, where it has one."""
    said = ""
    for step in loc:
        field = model.model_fields.get(str(step))
        if field is None:
            break
        said = field.description or ""
        section = _section(field.annotation)
        if section is None:
            break
        model = section
    return f" ({said.rstrip('.')})" if said else ""


def _section(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, in a few words."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "not UTF-8 text"
