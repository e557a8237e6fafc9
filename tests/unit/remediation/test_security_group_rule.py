"""A rule's name says all that makes it this rule, and a state says all that a rollback writes."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.actions.aws.security_group import RevokeIngressParams
from remediation.actions.aws.security_group_rule import FoundRule, Rule, RuleText, from_state, to_state

sources = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda parts: str(ipaddress.ip_network(f"{parts[0]}/{parts[1]}", strict=False)))
ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(sorted)
rules = st.one_of(
    st.builds(lambda source: Rule("-1", -1, -1, source), sources),
    st.builds(
        lambda kind, span, source: Rule(kind, *span, source), st.sampled_from(["tcp", "udp"]), ports, sources
    ),
)
texts = st.builds(RuleText, st.text(), st.dictionaries(st.text(), st.text()))


@given(rules)
def test_a_name_is_read_back(rule: Rule) -> None:
    assert Rule.parse(str(rule)) == rule


@given(st.dictionaries(rules, texts, max_size=4))
def test_a_state_gives_back_every_rule_with_every_word(written: dict[Rule, RuleText]) -> None:
    assert from_state(to_state(written)) == written


def test_what_people_write_cannot_pass_for_a_rule() -> None:
    rule = Rule("tcp", 22, 22, "10.0.0.0/8")
    text = RuleText("allowed", {"x: description": "allowed", "tcp 1 from ::/0": "allowed"})
    assert from_state(to_state({rule: text})) == {rule: text}


@pytest.mark.parametrize(
    "name", ["", "tcp 22", "tcp from ::/0", "tcp 22-x from ::/0", "all traffic from a b"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the name itself is the message
        Rule.parse(name)


@pytest.mark.parametrize(
    ("rule", "covers", "wider"),
    [
        (Rule("tcp", 22, 22, "::/0"), True, False),
        (Rule("tcp", 3389, 3389, "::/0"), True, False),
        (Rule("tcp", 20, 22, "::/0"), True, True),
        (Rule("tcp", 22, 25, "::/0"), True, True),
        (Rule("tcp", 0, 65535, "::/0"), True, True),
        (Rule("-1", -1, -1, "::/0"), True, True),
        (Rule("tcp", 23, 3388, "::/0"), False, True),
        (Rule("tcp", 21, 21, "::/0"), False, True),
        (Rule("udp", 22, 22, "::/0"), False, False),
        (Rule("icmp", -1, -1, "::/0"), False, True),
    ],
)
def test_ports_are_covered_by_ranges_and_by_all_traffic(rule: Rule, covers: bool, wider: bool) -> None:
    assert rule.covers([22, 3389], ["tcp"]) is covers
    assert rule.is_wider_than([22, 3389]) is wider


@pytest.mark.parametrize(
    ("source", "is_world"),
    [("0.0.0.0/0", True), ("::/0", True), ("0.0.0.0/1", False), ("10.0.0.0/8", False), ("sg-1", False)],
)
def test_the_world_is_everybody_and_nothing_less(source: str, is_world: bool) -> None:
    assert Rule("tcp", 22, 22, source).is_open_to_the_world is is_world


def test_tags_that_only_aws_can_set_are_none_that_a_rollback_could_write() -> None:
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": "x"}, {"Key": "Name", "Value": "ssh"}]
    found = FoundRule.from_aws(
        {
            "SecurityGroupRuleId": "sgr-1",
            "IpProtocol": "tcp",
            "FromPort": 22,
            "ToPort": 22,
            "CidrIpv4": "10.0.0.0/8",
            "Tags": tags,
        }
    )
    assert found.text.tags == {"Name": "ssh"}


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"ports": []}, "ports"),
        ({"ports": [65536]}, "ports"),
        ({"ports": ["22"]}, "ports"),
        ({"ports": [True]}, "ports"),
        ({"protocols": ["icmp"]}, "protocols"),
        ({"replace_with": ["0.0.0.0/0"]}, "whole internet"),
        ({"replace_with": ["::/0"]}, "whole internet"),
        ({"replace_with": ["10.0.0.1/8"]}, "host bits"),
        ({"replace_with": ["office"]}, "replace_with"),
        ({"cidr": "10.0.0.0/8"}, "cidr"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        RevokeIngressParams.model_validate(params)


def test_cidrs_are_written_as_ec2_writes_them() -> None:
    assert RevokeIngressParams(replace_with=["2001:DB8:0::/32", "203.0.113.7"]).replace_with == [
        "2001:db8::/32",
        "203.0.113.7/32",
    ]
