"""The configuration's `policy` section: rules are read, and mistakes in them named by key."""

from datetime import timedelta
from pathlib import Path

import pytest

from audit.errors import ConfigError
from audit.findings import Severity
from bot.config import Config, read_config
from bot.playbooks import load_playbooks

HEAD = "policy:\n  approvers: [S0SEC]\n"


def read(folder: Path, text: str) -> Config:
    path = folder / "countersign.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_rules_are_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        HEAD
        + """\
  rules:
    - {severities: [critical, high], accounts: ["012345678901"], approvers: [S0CISO, U0OMAR], required_approvals: 2}
    - {playbooks: [AWS-PUBLIC-S3], expires_after_minutes: 30}
""",
    )
    first, second = config.to_policy().rules
    assert first.severities == {Severity.CRITICAL, Severity.HIGH}
    assert (first.approvers, first.approver_groups) == ({"U0OMAR"}, {"S0CISO"})
    assert (first.required_approvals, first.expires_after) == (2, None)
    assert (second.approvers, second.expires_after) == (None, timedelta(minutes=30))
    assert load_playbooks(config, beside=tmp_path)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("{approvers: [U0OMAR]}", r"policy\.rules\.0: .*names no severities, accounts or playbooks"),
        ("{severities: [low]}", r"policy\.rules\.0: .*says nothing"),
        ("{severities: [low], approvers: []}", r"policy\.rules\.0\.approvers"),
        ("{severities: [urgent], required_approvals: 2}", r"policy\.rules\.0\.severities\.0"),
        ("{accounts: [123456789012], required_approvals: 2}", r"policy\.rules\.0\.accounts\.0"),
        (
            "{severities: [low], required_approval: 2}",
            r"policy\.rules\.0\.required_approval.*required_approvals",
        ),
        ("{severities: [low], required_approvals: 0}", r"policy\.rules\.0\.required_approvals"),
        (
            "{severities: [low, info], required_approvals: 2}, {severities: [low], expires_after_minutes: 9}",
            r"policy\.rules\.1 never decides: policy\.rules\.0 fits",
        ),
        (
            "{playbooks: [A], expires_after_minutes: 9}, {playbooks: [A], severities: [low], required_approvals: 2}",
            r"policy\.rules\.1 never decides",
        ),
        (
            "{severities: [low], approvers: [U0OMAR, U0OTTO], required_approvals: 3}",
            r"policy\.rules\.0\.required_approvals: 3 approvals are needed, and 2 people",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_named(tmp_path: Path, rules: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, f"{HEAD}  rules: [{rules}]\n")


def test_more_approvals_than_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"policy\.required_approvals: 2 approvals are needed, and 1 people"
    ):
        read(tmp_path, "policy: {approvers: [U0OMAR], required_approvals: 2}\n")


def test_a_rule_about_a_playbook_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = read(tmp_path, f"{HEAD}  rules: [{{playbooks: [AWS-PUBLC-S3], required_approvals: 2}}]\n")
    with pytest.raises(ConfigError, match=r"policy\.rules\.0\.playbooks: there is no playbook AWS-PUBLC-S3"):
        load_playbooks(config, beside=tmp_path)


def test_the_schema_knows_the_rules() -> None:
    assert "RuleSection" in Config.model_json_schema()["$defs"]
