"""The triggers that make the trail append-only, in each database's own words.

They stop programs and mistakes, not the owner of the database, who can drop them; that is what the chain's
hashes and an anchored head are for.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

# `INSERT OR REPLACE` deletes without firing a delete trigger, so an insert has to fit the head.
_SQLITE: Mapping[str, str] = {
    "trail_no_update": """
CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END""",
    "trail_no_delete": """
CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END""",
    "trail_no_replace": """
CREATE TRIGGER trail_no_replace BEFORE INSERT ON trail
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM trail)
  OR NEW.previous_hash IS NOT
     coalesce((SELECT entry_hash FROM trail ORDER BY seq DESC LIMIT 1), zeroblob(32))
  OR EXISTS (SELECT 1 FROM trail WHERE entry_hash = NEW.entry_hash)
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END""",
}

_POSTGRES_BODY = " BEGIN RAISE EXCEPTION 'the trail is append-only'; END "
_POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS
$${_POSTGRES_BODY}$$"""
_POSTGRES: Mapping[str, str] = {
    f"trail_no_{word.lower()}": f"""
CREATE TRIGGER trail_no_{word.lower()} BEFORE {word} ON trail
FOR EACH {scope} EXECUTE FUNCTION refuse_trail_change()"""
    for word, scope in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
}

_SQLITE_INSTALLED = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'trail'"
# What a trigger is, beside its name: before which statement and for what (`pg_trigger.tgtype`), under no condition and for no columns only,
# in force in an ordinary session (O) or in any (A), and what it calls.
_POSTGRES_TYPES: Mapping[str, int] = {"trail_no_update": 19, "trail_no_delete": 11, "trail_no_truncate": 34}
_POSTGRES_INSTALLED = """
SELECT t.tgname, t.tgtype FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
WHERE t.tgrelid = 'trail'::regclass AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
  AND t.tgqual IS NULL AND t.tgattr::text = '' AND l.lanname = 'plpgsql' AND p.prosrc = :body"""


def install(connection: Connection) -> None:
    """Create the triggers that are missing or were changed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_POSTGRES_FUNCTION))
    for name in missing(connection):
        _drop(connection, name)
        connection.execute(text(_wanted(connection)[name]))


def missing(connection: Connection) -> list[str]:
    """Return the names of the triggers that are not there as we made them, or are switched off."""
    return sorted(_wanted(connection).keys() - _in_force(connection))


def _wanted(connection: Connection) -> Mapping[str, str]:
    return _POSTGRES if connection.dialect.name == "postgresql" else _SQLITE


def _in_force(connection: Connection) -> set[str]:
    if connection.dialect.name == "postgresql":
        rows = connection.execute(text(_POSTGRES_INSTALLED), {"body": _POSTGRES_BODY}).all()
        return {name for name, kind in rows if kind == _POSTGRES_TYPES.get(name)}
    rows = connection.execute(text(_SQLITE_INSTALLED)).all()
    return {name for name, sql in rows if sql == _SQLITE.get(name, "").strip()}


def _drop(connection: Connection, name: str) -> None:
    place = " ON trail" if connection.dialect.name == "postgresql" else ""
    connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{place}"))
