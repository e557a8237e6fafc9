"""The account's password policy."""

from typing import Final

from audit.collect.facts import Facts, Unread
from audit.collect.reader import Answer, Ask, Reader

POLICY: Final = Ask(
    "iam",
    "get_account_password_policy",
    "iam:GetAccountPasswordPolicy",
    absent=frozenset({"NoSuchEntity", "NoSuchEntityException"}),
)
ASKS: Final = (POLICY,)
_FACTS: Final = {
    "minimum_length": "MinimumPasswordLength",
    "remembered_passwords": "PasswordReusePrevention",
    "requires_uppercase": "RequireUppercaseCharacters",
    "requires_lowercase": "RequireLowercaseCharacters",
    "requires_number": "RequireNumbers",
    "requires_symbol": "RequireSymbols",
}


def read_password_policy(reader: Reader) -> Facts | None:
    """Return the policy; None where the account has none, and each part unread where it cannot be read."""
    found = reader.value(POLICY, _facts)
    if isinstance(found, Unread):
        return dict.fromkeys(_FACTS, found)
    return found if isinstance(found, dict) else None


def _facts(answer: Answer) -> Facts:
    policy = answer["PasswordPolicy"]
    return {name: policy.get(given) for name, given in _FACTS.items()}
