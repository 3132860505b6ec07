"""What is one error to a replica, and what is none."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from redis.exceptions import ConnectionError as ConnectionBroken

from gateway.limits.link import Away, Link
from gateway.limits.wire import Done, Keep, Release, Reply, Request, encode

TIMEOUT_SECONDS = 0.02
REQUEST = Request(model="m", replica="a", replicas=1, epoch="", lease_ms=1000, holds=(), operations=())


class Client:
    """A client of Redis that answers as it is told."""

    def __init__(self, *answers: Callable[[], bytes]) -> None:
        self.asked = 0
        self._answers = answers

    async def execute_command(self, *command: Any) -> bytes:
        del command
        answer = self._answers[self.asked]
        self.asked += 1
        await asyncio.sleep(0)
        return answer()


def sleep_and_fail() -> bytes:
    time.sleep(3 * TIMEOUT_SECONDS)  # as a process that is stopped does
    raise ConnectionBroken


def fail() -> bytes:
    raise ConnectionBroken


def answer() -> bytes:
    return b"\x92\xc2\x90"


def link(client: Client) -> Link:
    return Link(client, timeout_seconds=TIMEOUT_SECONDS)  # type: ignore[arg-type]


async def test_call_is_repeated_when_this_process_was_paused_meanwhile() -> None:
    """A reply that comes too late because nobody was there to read it says nothing about Redis."""
    client = Client(sleep_and_fail, answer)

    assert (False, []) == await link(client).be_seen("a", lease_ms=1000)
    assert 2 == client.asked


async def test_redis_is_away_when_a_call_fails_in_time() -> None:
    client = Client(fail, answer)

    with pytest.raises(Away):
        await link(client).be_seen("a", lease_ms=1000)

    assert 1 == client.asked


@pytest.mark.parametrize("reply", [b"?", b"\x92\xc2\xa1\xff", 7, None])
async def test_redis_is_away_when_its_reply_is_none_of_ours(reply: Any) -> None:
    """Whoever keeps in touch must outlive what a proxy says, or a connection that got out of step."""
    strange = link(Client(*[lambda: reply] * 4))

    with pytest.raises(Away):
        await strange.be_seen("a", lease_ms=1000)
    with pytest.raises(Away):
        await strange.ask(REQUEST)


@pytest.mark.parametrize(("operations", "answers"), [(2, 1), (1, 2), (1, 0)])
async def test_redis_is_away_when_it_answers_more_or_less_than_it_was_asked(operations: int, answers: int) -> None:
    """What was asked must not be taken for answered, and nothing that was not asked either."""
    reply = Reply(epoch="1", stale=False, lost=[], answers=[Done()] * answers, turns=[], expired=0)
    asked = msgspec.structs.replace(REQUEST, operations=[Release(1), Keep()][:operations])

    with pytest.raises(Away):
        await link(Client(lambda: encode(reply))).ask(asked)


async def test_books_that_are_others_answer_nothing() -> None:
    stale = Reply(epoch="1", stale=True, lost=[], answers=[], turns=[], expired=0)
    asked = msgspec.structs.replace(REQUEST, operations=[Keep()])

    assert stale == await link(Client(lambda: encode(stale))).ask(asked)
