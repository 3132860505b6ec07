"""What holds for texts in this process: they are kept within bounds, and leave nothing behind."""

import pytest

from gateway.recall.memory import MemoryRecall, size_bytes
from tests.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def recall(clock: Clock) -> MemoryRecall:
    return MemoryRecall(seconds=60, max_bytes=3 * size_bytes("k1", "text"), clock=clock)


async def test_text_is_forgotten_when_its_time_is_over(recall: MemoryRecall, clock: Clock) -> None:
    await recall.remember("a", {"k1": "one"})

    clock.now += 60

    assert {} == await recall.recall("a", ["k1"])
    await recall.remember("a", {"k2": "two"})
    assert {("a", "k2")} == recall._kept.keys()


async def test_oldest_is_forgotten_when_there_is_too_much(recall: MemoryRecall) -> None:
    for number in range(1, 5):
        await recall.remember("a", {f"k{number}": "text"})

    assert {"k2", "k3", "k4"} == (await recall.recall("a", ["k1", "k2", "k3", "k4"])).keys()


async def test_text_is_young_again_when_it_is_kept_again(recall: MemoryRecall) -> None:
    for key in ("k1", "k2", "k3", "k1", "k4"):
        await recall.remember("a", {key: "text"})

    assert {"k3", "k1", "k4"} == (await recall.recall("a", ["k1", "k2", "k3", "k4"])).keys()


async def test_nothing_else_is_forgotten_when_a_text_is_too_large(recall: MemoryRecall) -> None:
    """One giant does not push out what others may need."""
    await recall.remember("a", {"k1": "text"})

    assert not await recall.remember("b", {"k2": "x" * 10_000})

    assert ({"k1": "text"}, {}) == (await recall.recall("a", ["k1"]), await recall.recall("b", ["k2"]))


async def test_count_of_bytes_returns_to_zero(recall: MemoryRecall, clock: Clock) -> None:
    await recall.remember("a", {"k1": "one", "k2": "two"})
    await recall.remember("a", {"k1": "longer"})
    await recall.forget("a", ["k2", "k3"])
    assert size_bytes("k1", "longer") == recall._bytes
    clock.now += 60
    await recall.remember("a", {})

    assert (0, 0) == (recall._bytes, len(recall._kept))


@pytest.mark.parametrize(("seconds", "max_bytes"), [(0, 10_000), (60, 0)], ids=["no time", "no room"])
async def test_nothing_is_kept_when_it_is_switched_off(seconds: float, max_bytes: int) -> None:
    recall = MemoryRecall(seconds=seconds, max_bytes=max_bytes)

    await recall.remember("a", {"k1": "one"})

    assert ({}, 0) == (await recall.recall("a", ["k1"]), len(recall._kept))
