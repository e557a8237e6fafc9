"""Checks on an account's root user, its IAM users and their keys."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from audit.collect.check import Check, Verdict
from audit.collect.facts import Facts, flag, moment, number, parts, words
from audit.findings import Severity

ROTATE_AFTER: Final = timedelta(days=90)
UNUSED_AFTER: Final = timedelta(days=45)
ROOT_QUIET_FOR: Final = timedelta(days=1)
_GUIDE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


def _root_mfa(facts: Facts, _now: datetime) -> Verdict:
    on = flag(facts, "mfa_active")
    return Verdict(passed=on, evidence=f"The root user has {'an' if on else 'no'} MFA device.")


def _root_keys(facts: Facts, _now: datetime) -> Verdict:
    count = number(facts, "access_keys")
    return Verdict(passed=not count, evidence=f"The root user has {count or 'no'} access keys.")


def _root_quiet(facts: Facts, now: datetime) -> Verdict:
    used = moment(facts, "last_used")
    if used is None:
        return Verdict(passed=True, evidence="The root user has never been used, as far as AWS tells.")
    return Verdict(
        passed=now - used > ROOT_QUIET_FOR, evidence=f"The root user was last used on {used:%Y-%m-%d}."
    )


def _console_mfa(facts: Facts, _now: datetime) -> Verdict:
    if not flag(facts, "password_enabled"):
        return Verdict(passed=True, evidence="The user has no console password.")
    on = flag(facts, "mfa_active")
    return Verdict(
        passed=on, evidence=f"The user has a console password and {'an' if on else 'no'} MFA device."
    )


def _console_used(facts: Facts, now: datetime) -> Verdict:
    if not flag(facts, "password_enabled"):
        return Verdict(passed=True, evidence="The user has no console password.")
    used = moment(facts, "password_last_used") or moment(facts, "password_last_changed")
    if used is None:
        return Verdict(passed=False, evidence="The console password was never used.")
    return Verdict(
        passed=now - used < UNUSED_AFTER,
        evidence=f"The console password was last used or changed on {used:%Y-%m-%d}.",
    )


def _active_keys(facts: Facts) -> list[Facts]:
    return [key for key in parts(facts, "access_keys") if flag(key, "active")]


def _named(keys: list[Facts]) -> str:
    return ", ".join(words(key, "id") or "a key" for key in keys)


def _one_key(facts: Facts, _now: datetime) -> Verdict:
    keys = _active_keys(facts)
    return Verdict(passed=len(keys) <= 1, evidence=f"The user has {len(keys) or 'no'} active access keys.")


def _young_keys(facts: Facts, now: datetime) -> Verdict:
    old = [key for key in _active_keys(facts) if now - (moment(key, "created") or now) > ROTATE_AFTER]
    said = f"Older than {ROTATE_AFTER.days} days: {_named(old)}." if old else "No active key is older."
    return Verdict(passed=not old, evidence=said)


def _used_keys(facts: Facts, now: datetime) -> Verdict:
    idle = [key for key in _active_keys(facts) if _is_idle(key, now)]
    said = f"Unused for {UNUSED_AFTER.days} days: {_named(idle)}." if idle else "Every active key is in use."
    return Verdict(passed=not idle, evidence=said)


def _is_idle(key: Facts, now: datetime) -> bool:
    """Tell whether a key has not been used for so long; one that never was counts from the day it was made."""
    used = moment(key, "last_used") or moment(key, "created") or now
    return now - used >= UNUSED_AFTER


ROOT_CHECKS: Final = (
    Check(
        check_id="iam_root_mfa_enabled",
        title="The root user has MFA",
        severity=Severity.CRITICAL,
        resource_type="AwsIamUser",
        needs=("mfa_active",),
        judge=_root_mfa,
        description="The root user may do anything. Without a second factor its password alone opens the account.",
        remediation="Sign in as the root user and enrol an MFA device under Security credentials.",
        reference_url=f"{_GUIDE}enable-mfa-for-root.html",
    ),
    Check(
        check_id="iam_no_root_access_key",
        title="The root user has no access keys",
        severity=Severity.CRITICAL,
        resource_type="AwsIamUser",
        needs=("access_keys",),
        judge=_root_keys,
        description="An access key of the root user cannot be narrowed by any policy.",
        remediation="Replace the key by a role, then delete it under the root user's Security credentials.",
        reference_url=f"{_GUIDE}id_root-user_manage_delete-key.html",
    ),
    Check(
        check_id="iam_avoid_root_usage",
        title="The root user is not used for daily work",
        severity=Severity.HIGH,
        resource_type="AwsIamUser",
        needs=("last_used",),
        judge=_root_quiet,
        description="Work done as the root user cannot be told apart by person, nor be narrowed.",
        remediation="Work in roles; keep the root user for the few tasks that need it.",
        reference_url=f"{_GUIDE}root-user-best-practices.html",
    ),
)


def _user_checks() -> Iterator[Check]:
    yield Check(
        check_id="iam_user_mfa_enabled_console_access",
        title="The user signs in to the console with MFA",
        severity=Severity.HIGH,
        resource_type="AwsIamUser",
        needs=("password_enabled", "mfa_active"),
        judge=_console_mfa,
        description="A console password without a second factor is as good as whoever learns it.",
        remediation="Have the user enrol an MFA device, or remove the console password.",
        reference_url=f"{_GUIDE}id_credentials_mfa.html",
    )
    yield Check(
        check_id="iam_user_console_access_unused",
        title="The user's console password is in use",
        severity=Severity.MEDIUM,
        resource_type="AwsIamUser",
        needs=("password_enabled", "password_last_used"),
        judge=_console_used,
        description="A password that nobody uses is one whose theft nobody notices.",
        remediation="Remove console passwords that were not used for 45 days.",
        reference_url=f"{_GUIDE}id_credentials_finding-unused.html",
    )
    yield Check(
        check_id="iam_user_two_active_access_key",
        title="The user has one active access key at most",
        severity=Severity.MEDIUM,
        resource_type="AwsIamUser",
        needs=("access_keys",),
        judge=_one_key,
        description="Two active keys are one more than is needed, except while one replaces the other.",
        remediation="Make the key inactive that is not needed.",
        reference_url=f"{_GUIDE}id_credentials_access-keys.html",
    )
    yield Check(
        check_id="iam_rotate_access_key_90_days",
        title="The user's access keys are younger than 90 days",
        severity=Severity.MEDIUM,
        resource_type="AwsIamUser",
        needs=("access_keys",),
        judge=_young_keys,
        description="The older a key, the more places it has been copied to.",
        remediation="Rotate the key: make a new one, move to it, make the old one inactive.",
        reference_url=f"{_GUIDE}id_credentials_access-keys.html",
    )
    yield Check(
        check_id="iam_user_accesskey_unused",
        title="The user's access keys are in use",
        severity=Severity.MEDIUM,
        resource_type="AwsIamUser",
        needs=("access_keys",),
        judge=_used_keys,
        description="A key that nobody uses is one whose theft nobody notices.",
        remediation="Make keys inactive that were not used for 45 days.",
        reference_url=f"{_GUIDE}id_credentials_finding-unused.html",
    )


USER_CHECKS: Final = tuple(_user_checks())
