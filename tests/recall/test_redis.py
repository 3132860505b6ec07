"""What holds for texts in Redis: replicas share them, names give nothing away, trouble only makes forget."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.recall.redis import MAX_TEXT_BYTES
from tests.limits.redis_proxy import RedisProxy
from tests.recall.conftest import MakeRedisRecall, Observer
from tests.redis_server import RedisServer, free_port, need_redis

PATIENCE_SECONDS = 10


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - Redis tells nobody that it is back
            await asyncio.sleep(0.02)


def names(server: RedisServer) -> list[str]:
    found = server.ask("KEYS", "*")
    assert isinstance(found, list)
    return [name.decode() for name in found]


async def test_what_one_replica_remembers_another_knows(redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    """And forgets for all."""
    one, other = make_shared(redis.url), make_shared(redis.url)

    await one.remember("a", {"k1": "one", "k2": "two"})

    assert {"k1": "one", "k2": "two"} == await other.recall("a", ["k1", "k2"])
    assert await other.forget("a", ["k1"])
    assert {"k2": "two"} == await one.recall("a", ["k1", "k2"])


async def test_memories_are_apart(redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    chat, embeddings = make_shared(redis.url), make_shared(redis.url, memory="embeddings")

    await chat.remember("a", {"k": "reasoning"})

    assert {} == await embeddings.recall("a", ["k"])


async def test_names_give_nothing_away_but_tenant_and_memory(
    redis: RedisServer, make_shared: MakeRedisRecall
) -> None:
    """And every text has an end."""
    recall = make_shared(redis.url, seconds=60)

    await recall.remember("team a", {"call_secret": "hush", "other secret": "hush"})

    kept = names(redis)
    assert 2 == len(kept)
    assert all(name.startswith("glm-gateway:recall:{team a:chat}:") for name in kept)
    assert not any("secret" in name or "hush" in name for name in kept)
    assert all(59_000 < redis.number("PTTL", name) <= 60_000 for name in kept)


async def test_text_that_is_too_large_is_not_kept(redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    """Nor is what stood in its place, which it has made untrue. Others are kept beside it."""
    recall = make_shared(redis.url)
    await recall.remember("a", {"k1": "old"})

    assert not await recall.remember("a", {"k1": "x" * MAX_TEXT_BYTES, "k2": "two"})

    assert {"k2": "two"} == await recall.recall("a", ["k1", "k2"])


async def test_text_of_another_place_is_not_believed(redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    """Should an answer ever be that to somebody else's question, it is no answer."""
    recall = make_shared(redis.url)
    await recall.remember("a", {"k": "a's"})
    (of_a,) = names(redis)
    await recall.remember("b", {"k": "b's"})
    (of_b,) = set(names(redis)) - {of_a}

    redis.ask("COPY", of_a, of_b, "REPLACE")

    assert {} == await recall.recall("b", ["k"])
    assert {"k": "a's"} == await recall.recall("a", ["k"])


async def test_redis_that_is_away_only_makes_forget(
    own_redis: RedisServer, make_shared: MakeRedisRecall, observer: Observer
) -> None:
    """Nothing is raised but where that is asked for, each failure is counted, and all goes on when it is back."""
    recall = make_shared(own_redis.url, rest_seconds=0.0)
    await recall.remember("a", {"k": "text"})
    own_redis.kill()

    kept = await recall.remember("a", {"k": "text"})
    known, gone = await recall.recall("a", ["k"]), await recall.forget("a", ["k"])
    with pytest.raises(StoreUnavailable):
        await recall.require("a", ["k"])

    assert (False, {}, False) == (kept, known, gone)
    assert [("recall", "connect")] * 4 == observer.errors
    assert 5 == len(observer.calls)
    own_redis.start()
    await recall.remember("a", {"k": "again"})
    assert {"k": "again"} == await recall.recall("a", ["k"])


async def test_redis_that_is_away_is_left_alone_for_a_while(
    own_redis: RedisServer, make_shared: MakeRedisRecall, observer: Observer
) -> None:
    """So that an outage delays few requests."""
    recall = make_shared(own_redis.url, rest_seconds=3600.0)
    own_redis.kill()
    for _ in range(3):
        await recall.recall("a", ["k"])
    own_redis.start()

    await recall.remember("a", {"k": "text"})

    assert ({}, False) == (await recall.recall("a", ["k"]), await recall.forget("a", ["k"]))
    assert (3, []) == (len(observer.calls), names(own_redis))


async def test_redis_is_asked_again_after_its_rest(own_redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    recall = make_shared(own_redis.url, rest_seconds=0.1)
    own_redis.kill()
    for _ in range(3):
        await recall.recall("a", ["k"])
    own_redis.start()

    async def remembered() -> bool:
        await recall.remember("a", {"k": "text"})
        return bool(await recall.recall("a", ["k"]))

    await until(remembered)


async def test_answers_of_a_slow_redis_are_not_waited_for(
    own_redis: RedisServer, make_shared: MakeRedisRecall, observer: Observer
) -> None:
    """And when they come at last, nobody takes them for the answer to another question."""
    recall = make_shared(own_redis.url, rest_seconds=0.0, timeout_seconds=0.05, socket_seconds=3600)
    keys = [f"k{number}" for number in range(20)]
    await until(lambda: recall.remember("a", {key: f"text of {key}" for key in keys}))
    observer.errors.clear()  # It may take longer, too, where much else is done.
    own_redis.stall()
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [{}] * 20 == await asyncio.gather(*(recall.recall("a", [key]) for key in keys))
    assert {("recall", "timeout")} == set(observer.errors)

    own_redis.resume()
    await until(lambda: recall.recall("a", ["k0"]))

    answers = await asyncio.gather(*(recall.recall("a", [key]) for key in keys))
    assert all(answer in ({}, {key: f"text of {key}"}) for key, answer in zip(keys, answers, strict=True))


async def test_flushed_redis_has_forgotten(own_redis: RedisServer, make_shared: MakeRedisRecall) -> None:
    recall = make_shared(own_redis.url)
    await recall.remember("a", {"k": "text"})

    own_redis.ask("FLUSHALL")

    assert {} == await recall.recall("a", ["k"])


@pytest.mark.parametrize(
    ("command", "kind"),
    [(("CONFIG", "SET", "maxmemory", "1"), "full"), (("REPLICAOF", "127.0.0.1", "1"), "readonly")],
    ids=["full", "readonly"],
)
async def test_redis_that_takes_nothing_leaves_things_forgotten(
    own_redis: RedisServer,
    make_shared: MakeRedisRecall,
    observer: Observer,
    caplog: pytest.LogCaptureFixture,
    *,
    command: tuple[str, ...],
    kind: str,
) -> None:
    """The log says so, and nothing of what was to be remembered."""
    recall = make_shared(own_redis.url)
    own_redis.ask(*command)

    with caplog.at_level(logging.DEBUG):
        for _ in range(4):
            await recall.remember("a", {"secret key": "secret text"})

    assert [("recall", kind)] * 3 == observer.errors
    assert 1 == len([one for one in caplog.records if "remembers nothing" in one.getMessage()])
    assert "secret" not in caplog.text


async def test_texts_are_kept_when_the_address_leads_to_another_primary(
    own_redis: RedisServer, redis: RedisServer, make_shared: MakeRedisRecall
) -> None:
    """The old one takes no more writes, and drops nobody who is connected to it."""
    proxy = RedisProxy(own_redis)
    async with proxy.listening():
        recall = make_shared(proxy.url)
        assert await recall.remember("a", {"k1": "text"})

        proxy.lead_to(redis)
        own_redis.ask("REPLICAOF", "127.0.0.1", redis.port)

        await until(lambda: recall.remember("a", {"k2": "text"}))
        assert 1 == len(names(redis))


async def test_texts_are_kept_in_a_cluster(tmp_path: Path, make_shared: MakeRedisRecall) -> None:
    """A request's texts are one question, whatever slots their keys would be in."""
    need_redis()
    server = RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())).start()
    try:
        server.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        recall = make_shared(f"redis+cluster://127.0.0.1:{server.port}", timeout_seconds=PATIENCE_SECONDS)
        texts = {f"k{number}": f"text {number}" for number in range(300)}

        async def remembered() -> bool:
            await recall.remember("a", texts)
            return texts == await recall.recall("a", [*texts])

        await until(remembered)
        assert await recall.forget("a", [*texts])
        assert {} == await recall.recall("a", [*texts])
    finally:
        server.kill()


async def test_cluster_that_is_away_only_makes_forget(make_shared: MakeRedisRecall, observer: Observer) -> None:
    recall = make_shared("redis+cluster://127.0.0.1:1")

    assert {} == await recall.recall("a", ["k"])

    assert [("recall", "connect")] == observer.errors
