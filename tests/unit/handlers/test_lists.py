"""Private pages: as on file, and within Slack's limits whatever they list."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.findings import Finding, Severity
from audit.report import AuditReport, ReportHeader
from handlers.blocks.lists import (
    Fixable,
    build_help,
    build_playbook,
    build_playbook_list,
    build_report,
    build_report_list,
)
from handlers.blocks.steps import describe_step
from handlers.vocabulary import COMMANDS, REPORT, CommandHelp
from remediation.library import PlaybookLibrary
from remediation.playbook import PlaybookAction, RemediationPlaybook
from tests.examples import share
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden, to_checked

OTHER = replace(
    cards.FINDING, id="o", title="Root has no MFA", check_id="mfa", severity=Severity.HIGH, resource="root"
)

FORMATS: dict[str, dict[str, str]] = {
    "/report": {"html": "full report for people, one file", "executive": "one page for management"},
    "/playbook": {},
    "/schedule": {"html": "full report for people, one file"},
}


def a_header(name: str = "prowler <prod>.json", *findings: Finding) -> ReportHeader:
    kept = findings or (cards.FINDING, OTHER)
    header = AuditReport.of(kept, report_id="r-0123456789", generated_at=cards.AT, name=name).header
    return replace(header, source="prowler-ocsf")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name[1:])
def test_help(command: CommandHelp) -> None:
    check_golden(f"help_{command.name[1:]}", build_help(command, formats=FORMATS[command.name]))


def test_help_after_a_mistake() -> None:
    check_golden("help_mistake", build_help(REPORT, problem="There is no “/report <lst>”.", meant="list"))


def test_report_list() -> None:
    check_golden("report_list", build_report_list(cards.a_page_of([a_header(), a_header("second.json")])))


def test_report() -> None:
    check_golden(
        "report", build_report(a_header(), [Fixable(cards.FINDING, "AWS-PUBLIC-S3"), Fixable(OTHER)])
    )


def test_playbooks() -> None:
    check_golden("playbook_list", build_playbook_list(PlaybookLibrary.get_all_playbooks().values()))


def test_playbook() -> None:
    book = PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]
    check_golden("playbook", build_playbook(book, approval="1 of: @S0SEC"))


def test_a_playbook_promises_no_rollback_by_itself_where_others_have_to_sign_it() -> None:
    book = PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]
    book.rollback_on_failure = True
    assert "by itself if a step fails" in str(build_playbook(book, approval="1 of: @S0SEC"))
    signed = build_playbook(book, approval="1 of: @S0SEC", rollback_approvals=2)
    assert "by itself" not in str(signed)


def test_a_step_says_what_it_turns_off_and_how_much_is_left_out() -> None:
    params = {f"Setting{number}": False for number in range(14)}
    step = PlaybookAction("open_up", "aws", {"service": "s3", "action": "x", "params": params})
    said = describe_step(step)
    assert said.startswith("*Open up* (`open_up`): turns off `Setting0`, `Setting1`")
    assert said.endswith("`Setting11`; and 2 more settings")
    assert describe_step(PlaybookAction("ring", "bell", {})) == "*Ring* (`ring`), done by `bell`"
    sometimes = PlaybookAction("ring", "bell", {}, 'finding.region == "eu"')
    assert describe_step(sometimes).endswith('done by `bell`, only where `finding.region == "eu"`')


_NASTY = st.sampled_from(
    ["<!channel>", '"\\' * 700, "&" * 1500, "漢" * 900, "`" * 500, " ", "\n*x*\n", "ordinary"]
)


@settings(max_examples=share(40), deadline=None)
@given(st.lists(_NASTY, min_size=10, max_size=10))
def test_any_list_fits_and_is_escaped(texts: list[str]) -> None:
    findings = [
        Finding(id=str(n), title=text, severity=Severity.HIGH, resource=text, account_id=text)
        for n, text in enumerate(texts)
    ]
    headers = [a_header(text, *findings) for text in texts]
    books = [a_book(f"P-{number}-{text}", texts) for number, text in enumerate(texts * 8)]
    for message in (
        build_report_list(cards.a_page_of(headers, has_more=True, offset=10)),
        build_report(
            headers[0], [Fixable(finding, text) for finding, text in zip(findings, texts, strict=True)]
        ),
        build_playbook_list(books),
        build_playbook(books[0], approval=texts[0]),
        build_help(REPORT, problem=texts[0], meant="show"),
    ):
        assert "<!channel>" not in str(to_checked(message))


def a_book(name: str, texts: list[str]) -> RemediationPlaybook:
    book = RemediationPlaybook(name, texts[0], texts[1], texts[2], "HIGH")
    for number, text in enumerate(texts * 6):
        book.add_action(f"{number}{text}", text, {})
    book.checks.extend(texts * 10)
    return book
