"""The mark on what we create, so that a rollback in another process deletes that and nothing else."""

from collections.abc import Iterable, Mapping

KEY = "countersign:created"
VALUE = "yes"
TAGS: tuple[Mapping[str, str], ...] = ({"Key": KEY, "Value": VALUE},)


def is_ours(tags: Iterable[Mapping[str, str]]) -> bool:
    """Tell whether a resource's tags, as AWS spells them, carry the mark."""
    return any(tag.get("Key") == KEY and tag.get("Value") == VALUE for tag in tags)
