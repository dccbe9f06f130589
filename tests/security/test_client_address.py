"""One caller, one budget: whichever of its addresses it comes from."""

import pytest

from waypost_worker.security.client_address import network_of, rate_limit_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:0db8:0001:0002::", "2001:DB8:1:2::9"),
        ("fe80::1%eth0", "fe80::2"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
    ],
)
def test_addresses_of_one_caller_share_a_key(one: str, other: str):
    assert rate_limit_key(one) == rate_limit_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("192.0.2.1", "192.0.2.2"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("::1", "127.0.0.1"),
    ],
)
def test_addresses_of_two_callers_do_not(one: str, other: str):
    assert rate_limit_key(one) != rate_limit_key(other)


@pytest.mark.parametrize("address", [None, "", "not an address", "192.0.2.1, 192.0.2.2", "1" * 10_000, "192.0.2.01"])
def test_all_that_is_no_address_is_one_caller(address: str | None):
    assert rate_limit_key(address) == "unknown"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2"),
        ("192.0.2.99", "192.0.2"),
        ("192.0.3.1", "192.0.3"),
        ("::ffff:192.0.2.1", "192.0.2"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_a_network_has_the_addresses_of_one_hosted_client(address: str | None, network: str):
    assert network_of(address) == network
