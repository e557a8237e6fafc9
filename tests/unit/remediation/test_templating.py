"""Templates: they quote the finding, and do nothing else."""

from dataclasses import replace

import pytest

from audit.errors import InputError
from audit.findings import Finding, Severity
from remediation.templating import check_templates, fill_in

FINDING = Finding(
    id="F-1", title="Öffentlich <b>", severity=Severity.HIGH, resource="arn:aws:s3:::Acme", region="eu-west-1"
)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("plain", "plain"),
        ("{{ finding.region }}", "eu-west-1"),
        ("logs-{{ finding.resource | lower }}/{{finding.severity}}", "logs-arn:aws:s3:::acme/HIGH"),
        ("{{ finding.title }}", "Öffentlich <b>"),
        ("{{ finding.handle|trim|upper }}", FINDING.handle.upper()),
        ("{{ finding.account_id }}", ""),
        (443, 443),
        (None, None),
        ({"a": ["{{ finding.id }}", 1]}, {"a": ["F-1", 1]}),
    ],
)
def test_it_quotes_the_finding(template: object, filled: object) -> None:
    check_templates({"value": template})
    assert fill_in({"value": template}, FINDING) == {"value": filled}


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ finding.__class__ }}",
        "{{ finding.title.__class__ }}",
        "{{ finding['title'] }}",
        "{{ finding.title[0] }}",
        "{{ finding }}",
        "{{ config }}",
        "{{ range(10**9) | list }}",
        "{{ 'a' * 999999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ finding.title ~ finding.id }}",
        "{{ finding.title.upper() }}",
        "{{ finding.title | center(999999999) }}",
        "{{ finding.title | attr('__class__') }}",
        "{{ finding.title | lower(1) }}",
        "{{ 'text' }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% for x in finding.title %}{{ x }}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'secrets' %}",
        "{% import 'os' as os %}",
        "{{ finding.title if finding.id }}",
        "{{ finding.title",
        "{{ }}",
        "{{ finding.regin }}",
        "{{ finding.description }}",
        "{{ finding.title }}" * 200,
        "{{ finding.title" + " | lower" * 300 + " }}",
        "{{ finding.title" + "|trim" * 4 + " }}",
        "{{ " + "(" * 900 + "finding.title" + ")" * 900 + " }}",
        "{% for a in range(10**9) %}{% for b in range(10**9) %}{% endfor %}{% endfor %}",
        "{% from 'os' import path %}",
        "{% extends 'base' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% block b %}{% endblock %}",
        "{% raw %}{{ x }}{% endraw %}{{ ''.__class__ }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}",
        "{{ self._TemplateReference__context }}",
        "{{ finding.title is defined }}",
        "{{ not finding.title }}",
        "{{ (finding.title, finding.id) }}",
        "{{ {'a': finding.title} }}",
        "{{ finding.id.title }}",
        "{{ finding['__class__'] }}",
        "{{ finding.title | map('upper') | list }}",
        "{{ finding.title | format(finding) }}",
    ],
)
def test_everything_else_is_refused(template: str) -> None:
    for place in (template, [template], {"deep": {"er": template}}):
        with pytest.raises(InputError):
            check_templates({"value": place})
    with pytest.raises(InputError):
        fill_in({"value": template}, FINDING)


def test_what_is_filled_in_is_never_read_as_a_template() -> None:
    hostile = replace(FINDING, title="{{ finding.resource }}{% for x in y %}")
    assert fill_in({"value": "{{ finding.title }}"}, hostile) == {"value": hostile.title}


def test_what_comes_out_has_a_limit() -> None:
    with pytest.raises(InputError, match="comes out with more than 2,000 characters"):
        fill_in({"value": "{{ finding.title }}"}, replace(FINDING, title="x" * 3000))


def test_what_would_come_out_endless_is_not_put_together_first() -> None:
    import tracemalloc

    endless = replace(FINDING, title="x" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match="more than 2,000"):
        fill_in({"value": "{{ finding.title }}" * 100}, endless)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000  # a hundred titles would be 100 MB


def test_parameters_nested_without_end_are_refused() -> None:
    deep: object = "{{ finding.id }}"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputError, match="nested more than 20 deep"):
        check_templates({"value": deep})


def test_three_filters_may_follow_each_other() -> None:
    filled = fill_in({"value": "{{ finding.region | trim | lower | upper }}"}, FINDING)
    assert filled == {"value": "EU-WEST-1"}
