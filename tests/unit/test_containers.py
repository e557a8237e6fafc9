"""Dockerfile and compose files say what the program is: no image is built here, so what can drift is compared."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from bot.cli import app
from bot.serving import STOP_WITHIN_S
from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yml").read_text(encoding="utf-8"))
POSTGRES: dict[str, Any] = yaml.safe_load((ROOT / "compose.postgres.yml").read_text(encoding="utf-8"))
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"} | {
    *("STOPSIGNAL", "ENTRYPOINT")
}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], " ".join(line.split()[1:])) for line in joined.splitlines() if line.strip()]


def environment() -> dict[str, str]:
    return {
        name: value
        for kind, said in instructions()
        if kind == "ENV"
        for name, value in (pair.split("=", 1) for pair in said.split())
    }


def test_every_line_is_an_instruction() -> None:
    assert {kind for kind, _ in instructions()} <= INSTRUCTIONS


def test_python_is_one_that_the_project_takes() -> None:
    versions = set(re.findall(r"FROM python:(\d+\.\d+)-slim", DOCKERFILE))
    assert len(versions) == 1
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, versions.pop().split("."))) >= tuple(map(int, least.split(".")))


def test_all_packages_and_pinned_versions_are_in_it() -> None:
    copied = {said.split()[0] for kind, said in instructions() if kind == "COPY"}
    packages = {name.partition(".")[0] for name in PROJECT["tool"]["setuptools"]["packages"]}
    assert packages <= copied
    assert "--constraint constraints.txt '.[all]'" in DOCKERFILE
    assert "all" in PROJECT["project"]["optional-dependencies"]


def test_nothing_that_is_copied_is_ignored_and_nothing_else_goes_in() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        name
        for kind, said in instructions()
        if kind == "COPY" and "--from" not in said
        for name in said.split()[:-1]
    }
    assert "*" in lines
    assert let_in == copied


def test_the_variables_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert set(environment()) - known == {"PATH", "PYTHONDONTWRITEBYTECODE"}


def test_it_is_not_root_and_the_database_lies_in_the_volume() -> None:
    said = dict(instructions())
    assert said["USER"] == "10001"
    assert environment()["DATABASE_URL"].startswith(f"sqlite:///{said['VOLUME']}/")
    assert said["EXPOSE"] == environment()["PORT"]


@pytest.mark.parametrize("service", ["upgrade", "bot"])
def test_its_command_exists_and_its_root_is_read_only(service: str) -> None:
    described = COMPOSE["services"][service]
    at = typer.main.get_command(app)
    for word in described["command"]:
        assert isinstance(at, TyperGroup)
        at = at.commands[word]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert f"data:{dict(instructions())['VOLUME']}" in described["volumes"]
    assert any(environment()["COUNTERSIGN_CONFIG"] in volume for volume in described["volumes"])


def test_a_stop_has_time_to_end() -> None:
    assert int(COMPOSE["services"]["bot"]["stop_grace_period"].removesuffix("s")) > STOP_WITHIN_S


def test_the_postgres_variant_lies_over_services_there_are() -> None:
    assert set(POSTGRES["services"]) - {"postgres"} == set(COMPOSE["services"])
    for service in COMPOSE["services"]:
        assert POSTGRES["services"][service]["environment"]["DATABASE_URL"].startswith(
            "postgresql+psycopg://"
        )
    assert any("psycopg" in need for need in PROJECT["project"]["optional-dependencies"]["postgres"])
