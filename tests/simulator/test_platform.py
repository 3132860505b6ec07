"""What the rooms of the stand-in share."""

import pytest

from gateway.simulator.book import Book
from gateway.simulator.faults import Close, Script
from gateway.simulator.platform import Latency, Platform


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
        latency=Latency(),
        request_ids={("one", "request-1")},
    )


def test_request_id_is_beijings_time_and_digits(platform: Platform) -> None:
    """Thirty characters, as recorded."""
    assert platform.new_request_id() == "20270115160000aaaaaaaaaaaaaaaa"


def test_reset_forgets_script_and_request_ids(platform: Platform) -> None:
    """As new."""
    platform.reset()

    assert platform.script.faults() == []
    assert platform.request_ids == set()
