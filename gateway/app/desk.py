"""What every exchange works with: slots, the way to GLM, and what is remembered."""

import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import httpx

from gateway.app.terms import api_keys
from gateway.exchange import Desk, Policy, Terms
from gateway.limits.health import Health
from gateway.limits.limiter import Limiter
from gateway.limits.memory import MemoryLimiter
from gateway.recall.memory import MemoryRecall
from gateway.recall.recall import Recall
from gateway.record import Sink
from gateway.redis_client.observer import RedisObserver
from gateway.settings import Settings
from gateway.upstream.http import Upstream
from gateway.upstream.transport import KeptConnections
from gateway.upstream.wire import OverHttpx, Timeouts

if TYPE_CHECKING:
    from gateway.recall.link import Link

ID_BYTES = 16
IDS_AT_ONCE = 256


def create_desk(
    settings: Settings,
    *,
    terms: Terms,
    limiter: Limiter,
    upstream: Upstream,
    health: Health,
    memories: Mapping[str, Recall],
    sinks: Sequence[Sink],
) -> Desk:
    chat = settings.chat
    return Desk(
        terms=terms,
        limiter=limiter,
        health=health,
        upstream=upstream,
        memories=memories,
        policy=Policy(
            queue_timeout_seconds=settings.queue_timeout_seconds,
            heartbeat_seconds=chat.heartbeat_seconds,
            disconnect_grace_seconds=chat.drain_cap_seconds if chat.on_disconnect == "drain" else 0.0,
            max_retries=settings.upstream.max_retries,
            stop_on_lost_lease=settings.on_lost_lease == "stop",
        ),
        sinks=sinks,
        clock=time.perf_counter,
        now=time.time,
        new_id=ids().__next__,
        jitter=random.random,
        traces=settings.telemetry.otlp_endpoint is not None,
    )


def create_upstream(settings: Settings, *, transport: httpx.AsyncBaseTransport | None) -> Upstream:
    """Return the way to GLM; ``transport`` None is the network."""
    return Upstream(
        transport=KeptConnections() if transport is None else OverHttpx(transport),
        base_url=settings.upstream_url,
        api_keys=api_keys(settings),
        timeouts=Timeouts(
            connect_seconds=settings.upstream.connect_timeout_seconds,
            read_seconds=settings.upstream.read_timeout_seconds,
        ),
        max_answer_bytes=settings.upstream.max_answer_bytes,
    )


def create_limiter(settings: Settings, *, observer: RedisObserver | None) -> Limiter:
    """Return the limiter of this process alone, or one that shares with others through Redis."""
    if settings.redis.url is None:
        return MemoryLimiter(queue_size=settings.queue_size)
    from gateway.app.shared import create_shared_limiter  # noqa: PLC0415 - see there

    return create_shared_limiter(settings, url=settings.redis.url.reveal(), observer=observer)


def create_link(settings: Settings, *, observer: RedisObserver | None) -> "Link | None":
    """Return the way to the Redis where texts are remembered for all replicas, None if there is none."""
    if settings.redis.url is None:
        return None
    from gateway.app.shared import create_shared_link  # noqa: PLC0415 - see there

    return create_shared_link(settings, url=settings.redis.url.reveal(), observer=observer)


def create_memories(settings: Settings, *, link: "Link | None") -> dict[str, Recall]:
    """Return where each operation keeps what later requests may ask for, by its name."""
    chat, embeddings, responses = settings.chat, settings.embeddings, settings.responses
    bounds = {
        "chat": (chat.reasoning_memory_seconds, chat.reasoning_memory_bytes),
        "embeddings": (embeddings.cache_seconds, embeddings.cache_bytes),
        "responses": (responses.store_seconds, responses.store_bytes),
    }
    return {
        memory: create_recall(memory, seconds=seconds, max_bytes=max_bytes, link=link)
        for memory, (seconds, max_bytes) in bounds.items()
    }


def create_recall(memory: str, *, seconds: float, max_bytes: int, link: "Link | None") -> Recall:
    if link is None or not seconds or not max_bytes:
        return MemoryRecall(seconds=seconds, max_bytes=max_bytes)
    from gateway.app.shared import create_shared_recall  # noqa: PLC0415 - see there

    return create_shared_recall(link, memory=memory, seconds=seconds)


def ids() -> Iterator[str]:
    """Yield unguessable ids of 32 hex digits; the system is asked for many at a time, as each call of it costs."""
    while True:
        entropy = os.urandom(ID_BYTES * IDS_AT_ONCE)
        for start in range(0, len(entropy), ID_BYTES):
            yield entropy[start : start + ID_BYTES].hex()
