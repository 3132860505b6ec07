"""Every form of Redis URL is read, and what says not where Redis is is refused, before anybody connects."""

import subprocess
import sys

import pytest

from gateway.redis_client.address import Address, AddressError, read_address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", Address(kind="server", tls=False, hosts=(("cache", 6379),))),
        (
            "rediss://me:p%40ss@[::1]:7/2",
            Address(kind="server", tls=True, hosts=(("::1", 7),), user="me", password="p@ss", database=2),
        ),
        ("redis+cluster://a:1,b", Address(kind="cluster", tls=False, hosts=(("a", 1), ("b", 6379)))),
        (
            "rediss+sentinel://a,b:1/main/3",
            Address(kind="sentinel", tls=True, hosts=(("a", 26379), ("b", 1)), primary="main", database=3),
        ),
        (
            "redis+sentinel://a",
            Address(kind="sentinel", tls=False, hosts=(("a", 26379),), primary="mymaster"),
        ),
        ("unix:///run/redis.sock", None),
    ],
    ids=["bare", "all", "cluster", "sentinel", "sentinel alone", "socket"],
)
def test_url_says(url: str, expected: Address | None) -> None:
    assert expected == read_address(url)


@pytest.mark.parametrize(
    "url", ["", "cache", "http://cache", "redis://", "redis://:hush@cache/x", "redis://a:b:c", "redis://a:65536"]
)
def test_url_is_refused_when_it_says_not_where(url: str) -> None:
    """The message says what would be right, and not what was given."""
    with pytest.raises(AddressError, match="redis://") as refused:
        read_address(url)

    assert "hush" not in str(refused.value)


def test_password_is_not_shown() -> None:
    assert "hush" not in repr(read_address("redis://:hush@cache"))


def test_settings_are_checked_without_the_client() -> None:
    """It takes long to import, and a gateway without Redis never needs it."""
    program = "import gateway.settings, sys; print('redis' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "False\n" == said.stdout
