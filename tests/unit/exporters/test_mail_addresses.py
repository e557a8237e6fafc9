import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ConfigError, InputError, RefusedError
from exporters.mail_addresses import require_allowed, to_address, to_addresses, to_allowed_domains


@pytest.mark.parametrize(
    ("given_text", "address"),
    [
        ("ciso@company.com", "ciso@company.com"),
        ("  First.Last+tag@Company.COM ", "First.Last+tag@company.com"),
        ("o'neil_x@a-b.co.uk", "o'neil_x@a-b.co.uk"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
        ("a@" + "b" * 63 + ".example", "a@" + "b" * 63 + ".example"),
    ],
)
def test_plain_addresses_are_taken(given_text: str, address: str) -> None:
    assert to_address(given_text, role="recipient") == address


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "alice", "alice@", "@example.com", "alice@localhost", "alice@example", "alice@example.com.",
        "alice@.example.com", "alice@example..com", "alice@-a.com", "alice@a-.com", "alice@127.0.0.1", "alice@[127.0.0.1]",
        "alice@example.c-", "alice@1.2", "a b@example.com", "a..b@example.com", ".a@example.com", "a.@example.com",
        "Alice <alice@example.com>", "<alice@example.com>", "alice@example.com>", '"alice"@example.com',
        "ceo@company.com <evil@evil.org>", "a@b.example,c@d.example", "a@b.example;c@d.example", "a@b.example c@d.example",
        "a@b@example.com", "victim%evil.org@example.com", "evil.org!victim@example.com", "müller@example.com",
        "a@example.com\n", "a@example.com\r\nBcc: x@y.org", "a\x00@example.com", "a\u202e@example.com", "a@exa\u00admple.com",
        "info@straße.example", "info@\uff45xample.com", "info@example\u3002com", "info@\ud800.example",
        "x" * 65 + "@example.com", "a@" + "b" * 64 + ".example", "a@" + "b.c" * 120 + ".example",
        "a" * 64 + "@" + ("b" * 60 + ".") * 3 + "example",
    ],
)  # fmt: skip
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(InputError, match="^cc: "):
        to_address(text, role="cc")


def test_no_text_is_no_address() -> None:
    with pytest.raises(InputError, match="must be text, not int"):
        to_address(7, role="recipient")


@given(st.text(max_size=40))
def test_what_is_taken_can_stand_in_a_command(text: str) -> None:
    try:
        address = to_address(f"{text}@example.com", role="recipient")
    except InputError:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' <>,;:()[]"\\%!')
    assert address.count("@") == 1


def test_one_text_is_one_address() -> None:
    assert to_addresses("a@b.example", role="recipient") == ("a@b.example",)
    assert to_addresses(None, role="recipient") == ()
    assert to_addresses(["b@b.example", "a@b.example", "B@b.example"], role="cc") == (
        "b@b.example",
        "a@b.example",
    )


@pytest.mark.parametrize(
    "address", ["a@company.com", "a@eu.company.com", "a@deep.eu.company.com", "a@xn--bcher-kva.example"]
)
def test_allowed_domains_include_their_subdomains(address: str) -> None:
    require_allowed([address], to_allowed_domains(["Company.com", "bücher.example"]))


@pytest.mark.parametrize("address", ["a@evilcompany.com", "a@company.com.evil.org", "a@company.co", "a@com"])
def test_other_domains_are_named(address: str) -> None:
    with pytest.raises(RefusedError) as caught:
        require_allowed(["ok@company.com", address], to_allowed_domains(["company.com"]))
    assert str(caught.value) == (f"mail may not go to {address}: allowed are company.com. Nothing was sent.")


def test_no_rule_allows_all_and_an_empty_one_nobody() -> None:
    require_allowed(["a@anywhere.example"], to_allowed_domains(None))
    with pytest.raises(RefusedError, match="allowed are no domains"):
        require_allowed(["a@anywhere.example"], to_allowed_domains([]))


@pytest.mark.parametrize("domains", [["*.company.com"], ["com"], ["a@company.com"], [""], "company.com"])
def test_a_rule_that_means_nothing_is_a_mistake(domains: list[str] | str) -> None:
    with pytest.raises(ConfigError, match="allowed_domains"):
        to_allowed_domains(domains)
