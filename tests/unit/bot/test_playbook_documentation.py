"""Every example of `docs/playbooks.md` is one that can be used as it stands."""

import re
from pathlib import Path

import pytest
import yaml

from audit.errors import InputError
from bot.config import Config
from bot.planning import make_registry
from remediation.actions.equipment import Equipment
from remediation.lint import lint_playbook
from remediation.playbook import PlaybookAction
from remediation.prerequisites import CHECKS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "playbooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
CONFIGURATIONS = [block for block in BLOCKS if block.startswith("# countersign.yaml")]
STEPS = [block for block in BLOCKS if block.lstrip().startswith("- action_name")]
PLAYBOOKS = [block for block in BLOCKS if "playbook_id:" in block]
REGISTRY = make_registry(Equipment(raw_calls=frozenset({"s3:delete-bucket-policy"})))


def test_there_are_examples_of_everything() -> None:
    assert len(CONFIGURATIONS) >= 5
    kinds = {step["action_type"] for block in STEPS for step in yaml.safe_load(block)}
    assert kinds == {"notification", "manual", "script", "aws"}
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == set(CHECKS)


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_a_configuration_can_be_read(block: str) -> None:
    Config.model_validate(yaml.safe_load(block))


@pytest.mark.parametrize("block", STEPS)
def test_a_step_is_one_we_can_do(block: str) -> None:
    for step in yaml.safe_load(block):
        REGISTRY.check(PlaybookAction(**step))


@pytest.mark.parametrize("block", PLAYBOOKS)
def test_a_playbook_has_no_mistake(block: str) -> None:
    assert lint_playbook(block, registry=REGISTRY) == []


def test_the_raw_call_of_the_documentation_needs_the_configuration() -> None:
    [step] = [step for block in STEPS for step in yaml.safe_load(block) if step["action_type"] == "aws"]
    with pytest.raises(InputError, match="raw_calls"):
        make_registry().check(PlaybookAction(**step))
