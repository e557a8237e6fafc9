"""What the linter says of a playbook file: every mistake, with its line and a way out."""

import jsonschema
import pytest
import yaml

from audit.errors import InputError
from remediation.lint import lint_playbook
from remediation.memory import MemoryExecutions
from remediation.playbook_schema import playbook_schema
from tests.contract.cases.contract import OneClient, aws_registry
from tests.fakes.switches import Bench

GOOD = """\
playbook_id: MY-FIX
name: Mine
finding_category: Storage
severity: CRITICAL
prerequisites: [finding_open]
actions:
  - action_name: close
    action_type: switch
    condition: finding.region == "eu"
    params:
      name: "{{ finding.resource }}"
      to: closed
"""


def mistakes(text: str) -> list[tuple[int, str]]:
    registry = Bench(MemoryExecutions()).runner.planner.registry
    return [(mistake.line, mistake.text) for mistake in lint_playbook(text, registry=registry)]


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("severity: CRITICAL", "severity: CRITCAL", 4, "'CRITCAL' is not a severity"),
        ("prerequisites", "prequisites", 5, "did you mean prerequisites?"),
        ("finding_open", "finding_opn", 5, "did you mean finding_open?"),
        ("condition:", "conditon:", 9, "did you mean condition?"),
        ("finding.region", "finding.regin", 9, "did you mean finding.region?"),
        ("action_type: switch", "action_type: swich", 10, "no action type “swich”; did you mean “switch”?"),
        ("{{ finding.resource }}", "{{ secrets }}", 10, "a template quotes the finding"),
        ("to: closed", "too: closed", 10, "to: Field required"),
        ("name: Mine\n", "", 1, "name: Field required"),
        ("playbook_id: MY-FIX", "playbook_id: my fix", 1, "playbook_id: String should match pattern"),
        ("actions:\n", "actions: 3\nx:\n", 6, "actions: Input should be a valid list"),
    ],
)
def test_a_mistake_has_its_line_and_a_way_out(old: str, new: str, line: int, says: str) -> None:
    found = mistakes(GOOD.replace(old, new, 1))
    assert any(at == line and says in text for at, text in found), found


@pytest.mark.parametrize("value", ["0", "1001", "many"])
def test_max_targets_is_a_number_that_makes_sense(value: str) -> None:
    found = mistakes(f"{GOOD}max_targets: {value}\n")
    assert [(line, "max_targets: Input should be" in text) for line, text in found] == [(13, True)]


OTHER_TYPES = """\
playbook_id: MY-FIX
name: Mine
finding_category: Storage
severity: CRITICAL
max_targets: 3
prerequisites: [resource_exists, finding_open, not_protected, account_allowed, inside_change_window]
actions:
  - {action_name: a, action_type: notification, params: {type: slack, channel: "#sec", message: "{{ finding.id }}"}}
  - {action_name: b, action_type: notification, params: {type: target, target: oncall, message: Fixed}}
  - {action_name: c, action_type: script, params: {script: fix.sh, timeout_seconds: 30}}
  - {action_name: d, action_type: manual, params: {steps: [Look at it.]}}
"""


def test_the_schema_and_the_linter_agree_on_the_other_types() -> None:
    registry = aws_registry(OneClient(None))
    assert lint_playbook(OTHER_TYPES, registry=registry) == []
    schema = playbook_schema(registry)
    jsonschema.validate(yaml.safe_load(OTHER_TYPES), schema)
    for old, new in (
        ("#sec", "sec"),
        ("fix.sh", "../fix.sh"),
        ("[Look at it.]", "[]"),
        ("target: oncall", "target: 'json://x'"),
        ("type: slack", "type: teams"),
        ("not_protected", "protected"),
        ("max_targets: 3", "max_targets: 0"),
    ):
        wrong = OTHER_TYPES.replace(old, new)
        assert lint_playbook(wrong, registry=registry), new
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(wrong), schema)


def test_all_mistakes_are_told_at_once() -> None:
    second = "  - action_name: close\n    action_type: switch\n    params: {name: door, to: 3}\n"
    found = mistakes(GOOD.replace("CRITICAL", "BAD") + second)
    assert [line for line, _ in found] == [4, 13, 15]


def test_what_is_not_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match="line 2"):
        mistakes("a: 1\na: 2\n")


def test_the_schema_lets_pass_what_the_linter_lets_pass() -> None:
    schema = playbook_schema(aws_registry(OneClient(None)))
    jsonschema.Draft202012Validator.check_schema(schema)
    step = {"service": "s3", "action": "put-public-access-block", "params": {"BlockPublicAcls": True}}
    book = {**yaml.safe_load(GOOD), "actions": [{"action_name": "a", "action_type": "aws", "params": step}]}
    jsonschema.validate(book, schema)
    for wrong in ({"service": "s3", "action": "nuke"}, {**step, "params": {"BlockAll": True}}):
        book["actions"][0]["params"] = wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(book, schema)
