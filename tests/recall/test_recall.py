"""What every memory promises, in this process or in Redis."""

import asyncio

import pytest

from gateway.recall.recall import Recall
from tests.recall.conftest import MakeRecall

VECTOR = "pq3hvA" * 2000


async def test_text_is_recalled_by_its_key(recall: Recall) -> None:
    """And by no other; what is not known is left out."""
    await recall.remember("a", {"k1": "one", "k2": "two"})

    assert {"k1": "one"} == await recall.recall("a", ["k1", "k3"])
    assert {} == await recall.recall("a", ["k", "k11", "K1", ""])


@pytest.mark.parametrize(
    "text",
    ["", "because 因为", "\x00\r\n$5\r\n", "[0.25,-1e-9]", VECTOR],
    ids=["none", "words", "wire", "array", "long"],
)
async def test_text_comes_back_as_it_was(recall: Recall, text: str) -> None:
    await recall.remember("a", {text: text})

    assert {text: text} == await recall.recall("a", [text])


async def test_later_text_takes_the_place_of_an_earlier_one(recall: Recall) -> None:
    await recall.remember("a", {"k": "one"})
    await recall.remember("a", {"k": "two"})

    assert {"k": "two"} == await recall.recall("a", ["k", "k"])


async def test_text_stays_with_its_tenant(recall: Recall) -> None:
    """However alike tenants and keys are."""
    for tenant, key in (("a", "b:c"), ("a:b", "c"), ("a b", "c"), ("b", "b:c")):
        await recall.remember(tenant, {key: f"{tenant}'s"})

    assert {"b:c": "a's"} == await recall.recall("a", ["b:c", "c", "b"])
    assert {"c": "a:b's"} == await recall.recall("a:b", ["c", "b:c", "a:b", ""])
    assert {} == await recall.recall("c", ["b:c", "c"])


async def test_text_is_forgotten_when_its_time_is_over(make_recall: MakeRecall) -> None:
    recall = make_recall(seconds=0.3)
    await recall.remember("a", {"k": "text"})

    async with asyncio.timeout(10):
        while await recall.recall("a", ["k"]):  # noqa: ASYNC110 - nobody tells when a text is forgotten
            await asyncio.sleep(0.02)


async def test_text_is_forgotten_when_it_is_told_to_be(recall: Recall) -> None:
    """Those keys of that tenant, and nothing else."""
    await recall.remember("a", {"k1": "one", "k2": "two", "k3": "three"})
    await recall.remember("b", {"k1": "other"})

    assert await recall.forget("a", ["k1", "k3", "unknown"])

    assert {"k2": "two"} == await recall.recall("a", ["k1", "k2", "k3"])
    assert {"k1": "other"} == await recall.recall("b", ["k1"])


async def test_nothing_is_no_trouble(recall: Recall) -> None:
    """Neither to remember nor to recall nor to forget."""
    await recall.remember("a", {})

    assert ({}, True) == (await recall.recall("a", []), await recall.forget("a", []))


async def test_large_batch_is_recalled_whole(recall: Recall) -> None:
    """As many vectors as one request may ask for."""
    texts = {f"key {number}": f"{number}{VECTOR}" for number in range(2048)}

    await recall.remember("a", texts)

    assert texts == await recall.recall("a", [*texts, "unknown"])
    assert await recall.forget("a", [*texts])
    assert {} == await recall.recall("a", [*texts])


async def test_callers_side_by_side_get_their_own(recall: Recall) -> None:
    """More of them than there are connections."""

    async def remember_and_recall(number: int) -> bool:
        tenant, key, text = f"tenant {number % 7}", f"key {number}", f"text {number}"
        await recall.remember(tenant, {key: text})
        return {key: text} == await recall.recall(tenant, [key, f"key {number + 1000}"])

    assert all(await asyncio.gather(*(remember_and_recall(number) for number in range(200))))


async def test_text_can_be_kept_for_a_shorter_time_than_others(recall: Recall) -> None:
    assert await recall.remember("a", {"long": "text"})
    assert await recall.remember("a", {"short": "text"}, seconds=0.2)

    async with asyncio.timeout(10):
        while "short" in await recall.recall("a", ["short"]):  # noqa: ASYNC110 - nobody tells when it is forgotten
            await asyncio.sleep(0.02)

    assert {"long": "text"} == await recall.require("a", ["long", "short"])
