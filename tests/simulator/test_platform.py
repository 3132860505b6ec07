"""What the rooms of the stand-in share."""

import pytest

from gateway.simulator.accounts import Account
from gateway.simulator.book import Book
from gateway.simulator.faults import Close, Script
from gateway.simulator.platform import Latency, Platform
from gateway.simulator.realtime.habits import Habits
from gateway.simulator.spoken import Spoken


@pytest.fixture
def platform() -> Platform:
    return Platform(
        accounts=[],
        book=Book({}),
        script=Script([Close()]),
        clock=lambda: 1_800_000_000.0,
        ids=lambda digits: "a" * digits,
        wire="2026",
        fences="never",
        sound="wav",
        audio_seconds=60,
        spoken=Spoken(),
        latency=Latency(),
        habits=Habits(),
    )


def test_request_id_is_beijings_time_and_digits(platform: Platform) -> None:
    """Thirty characters, as recorded."""
    assert platform.new_request_id() == "20270115160000aaaaaaaaaaaaaaaa"


def test_reset_forgets_script_and_book(platform: Platform) -> None:
    """As new."""
    account = Account(name="one", key="one.key")
    platform.book.use(account, "request-1")
    platform.spoken.keep("audio-1", "hello", account="one", expires_at=1e12)

    platform.reset()

    assert platform.script.faults() == []
    assert not platform.book.has_used(account, "request-1")
    assert platform.spoken.recall("audio-1", account="one", now=0) is None
