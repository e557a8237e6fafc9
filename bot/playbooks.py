"""The playbooks in force: those that ship, and those in the folder that the configuration names."""

from pathlib import Path

from audit.errors import ConfigError, InputError
from bot.config import Config, read_config
from bot.config_errors import reason
from bot.planning import make_registry
from bot.settings import Settings
from remediation import PlaybookLibrary, RemediationPlaybook
from remediation.actions.equipment import Equipment
from remediation.actions.registry import ActionRegistry
from remediation.lint import Mistake, lint_playbook
from remediation.playbook_file import read_playbook

Playbooks = dict[str, RemediationPlaybook]


def load_playbooks(config: Config, *, beside: Path) -> Playbooks:
    """Return all playbooks by id. A relative folder is looked for in `beside`, where the configuration lies.

    Raises:
        ConfigError: a file of the folder cannot be used, or has an id that is taken; or a rule of the policy names a playbook
            that is not there.
    """
    books = PlaybookLibrary.get_all_playbooks()
    if config.playbooks is not None:
        _add_own(books, config, beside / config.playbooks)
    config.policy.refuse_unknown_playbooks(books)
    return books


def _add_own(books: Playbooks, config: Config, folder: Path) -> None:
    """Add the playbooks of a folder.

    Raises:
        ConfigError: a file cannot be used, or has an id that is taken; names file and line.
    """
    registry = _registry(config)
    for path in _files_in(folder):
        book = _read(path, registry)
        if book.playbook_id in books:
            raise ConfigError(f"{path}: there already is a playbook {book.playbook_id}")
        books[book.playbook_id] = book


def playbooks_at_hand() -> Playbooks:
    """Return all playbooks by id, as the environment says; without a configuration, those that ship.

    Raises:
        ConfigError: the configuration or a playbook of its folder cannot be used.
    """
    settings = Settings.from_environment()
    if settings.countersign_config is None:
        return PlaybookLibrary.get_all_playbooks()
    return load_playbooks(read_config(settings.countersign_config), beside=settings.config_folder)


def registry_at_hand() -> ActionRegistry:
    """Return the actions that a playbook's steps can be, with the raw calls that the configuration allows, where there is one.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    settings = Settings.from_environment()
    if settings.countersign_config is None:
        return make_registry()
    return _registry(read_config(settings.countersign_config))


def _registry(config: Config) -> ActionRegistry:
    return make_registry(Equipment(raw_calls=frozenset(config.raw_calls)))


def lint_file(path: Path, registry: ActionRegistry) -> list[Mistake]:
    """Return every mistake of a playbook file.

    Raises:
        InputError: it cannot be read, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({reason(error)})") from None
    return lint_playbook(text, registry=registry)


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ConfigError(f"playbooks: there is no folder {folder}")
    return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})


def _read(path: Path, registry: ActionRegistry) -> RemediationPlaybook:
    try:
        mistakes = lint_file(path, registry)
    except InputError as error:
        raise ConfigError(f"{path}: {error}") from None
    if mistakes:
        raise ConfigError(f"{path}:{mistakes[0].line}: {mistakes[0].text}")
    return read_playbook(path.read_text(encoding="utf-8"), name=path.name)
