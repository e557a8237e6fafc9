"""Checks on an account's password policy. An account without one has AWS's default, which asks for less."""

from datetime import datetime
from typing import Final

from audit.collect.check import Check, Judge, Verdict
from audit.collect.facts import Facts, flag, number
from audit.findings import Severity

SHORTEST: Final = 14
REMEMBERED: Final = 24
_URL: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"


def _at_least(name: str, least: int, what: str) -> Judge:
    def judge(facts: Facts, _now: datetime) -> Verdict:
        found = number(facts, name)
        return Verdict(
            passed=found >= least, evidence=f"{what}: {found or 'not set'}, {least} or more wanted."
        )

    return judge


def _required(name: str, what: str) -> Judge:
    def judge(facts: Facts, _now: datetime) -> Verdict:
        on = flag(facts, name)
        return Verdict(passed=on, evidence=f"The policy {'asks' if on else 'does not ask'} for {what}.")

    return judge


def _check(name: str, title: str, *, fact: str, judge: Judge, severity: Severity = Severity.MEDIUM) -> Check:
    return Check(
        check_id=f"iam_password_policy_{name}",
        title=title,
        severity=severity,
        resource_type="AwsIamPolicy",
        needs=(fact,),
        judge=judge,
        description="The account's password policy decides how hard its users' passwords are to guess.",
        remediation="Change the password policy under IAM, Account settings.",
        reference_url=_URL,
    )


PASSWORD_CHECKS: Final = (
    _check(
        "minimum_length_14",
        "Passwords have 14 characters or more",
        fact="minimum_length",
        judge=_at_least("minimum_length", SHORTEST, "Shortest password"),
    ),
    _check(
        "reuse_24",
        "The last 24 passwords cannot be used again",
        fact="remembered_passwords",
        judge=_at_least("remembered_passwords", REMEMBERED, "Remembered passwords"),
    ),
    _check(
        "uppercase",
        "Passwords have an uppercase letter",
        fact="requires_uppercase",
        judge=_required("requires_uppercase", "an uppercase letter"),
    ),
    _check(
        "lowercase",
        "Passwords have a lowercase letter",
        fact="requires_lowercase",
        judge=_required("requires_lowercase", "a lowercase letter"),
        severity=Severity.LOW,
    ),
    _check(
        "number",
        "Passwords have a digit",
        fact="requires_number",
        judge=_required("requires_number", "a digit"),
    ),
    _check(
        "symbol",
        "Passwords have a symbol",
        fact="requires_symbol",
        judge=_required("requires_symbol", "a symbol"),
    ),
)
