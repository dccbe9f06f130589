"""One caller, one budget: whichever of its addresses it comes from."""

import pytest

from waypost_worker.security.client_address import WORKERS_ADDRESS, caller_address, network_of, rate_limit_key

RAY = "8f1c2d3e4b5a6978-FRA"


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


def of_worker(zone: str | None, address: str = WORKERS_ADDRESS, ray: str | None = RAY) -> str:
    """The key of a request of a Worker of `zone`."""
    fields = {"cf-connecting-ip": address, "cf-worker": zone, "cf-ray": ray}
    return rate_limit_key(caller_address({name: value for name, value in fields.items() if value is not None}))


def test_workers_of_two_zones_are_two_callers_and_those_of_one_are_one():
    assert of_worker("example.com") == of_worker("example.com") == "worker example.com"
    assert of_worker("me.workers.dev") != of_worker("you.workers.dev")


def test_a_zone_has_a_network_of_its_own():
    fields = {"cf-connecting-ip": WORKERS_ADDRESS, "cf-ray": RAY}
    networks = {network_of(caller_address(fields | {"cf-worker": zone})) for zone in ("a.example.com", "a.example.org")}
    assert networks == {"worker a.example.com", "worker a.example.org"}


@pytest.mark.parametrize("zone", ["a.example", "b.example"])
def test_elsewhere_the_name_of_a_zone_makes_no_other_caller(zone: str):
    for address in ("192.0.2.1", "2a06:98c0:3600::104", "2a06:98c0:3601::103"):
        assert of_worker(zone, address) == of_worker(None, address)


@pytest.mark.parametrize("zone", ["a.example", "b.example"])
def test_without_cloudflare_in_front_the_name_of_a_zone_makes_no_other_caller(zone: str):
    assert of_worker(zone, ray=None) == rate_limit_key(WORKERS_ADDRESS)


@pytest.mark.parametrize(
    "zone",
    [None, "", "nodots", "a b.example", "a.example, b.example", "a" * 64 + ".example", "é.example", "a.example\n"],
)
def test_workers_without_the_name_of_a_zone_are_one_caller(zone: str | None):
    assert of_worker(zone) == rate_limit_key(WORKERS_ADDRESS) == "2a06:98c0:3600::/64"


def test_a_client_can_not_send_the_key_of_a_worker_as_its_address():
    assert rate_limit_key(caller_address({"cf-connecting-ip": "worker a.example"})) == "unknown"
    assert caller_address({}) is None
