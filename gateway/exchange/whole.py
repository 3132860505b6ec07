"""Answers in one piece: every call of a job asked, mended where the job says so, and received."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from itertools import count

from gateway.errors import GatewayError
from gateway.exchange.dispatcher import Dispatcher
from gateway.exchange.held import Held
from gateway.translate.endpoint import Call, Calls, WholeJob
from gateway.upstream.http import Reply

LISTED = (list, tuple)


def ask_all(job: WholeJob, dispatcher: Dispatcher) -> Awaitable[None]:
    """
    Have every call of ``job`` answered and received, several side by side as far as the caller's tier goes.

    Raises the first GatewayError; the other calls are cut off then.
    """
    only = single(job.calls)
    return ask_several(job, dispatcher) if only is None else ask(job, 0, only, dispatcher)


async def ask_several(job: WholeJob, dispatcher: Dispatcher) -> None:
    turns = asyncio.Semaphore(dispatcher.at_once(job.at_once))
    try:
        async with asyncio.TaskGroup() as group, aclosing(in_turn(job.calls, turns)) as calls:
            async for index, call in calls:
                group.create_task(ask_in_turn(job, index, call, dispatcher, turns))
    except* GatewayError as failed:
        raise first_error(failed) from None


def single(calls: Calls) -> Call | None:
    """Return the call of a job that has but one."""
    return calls[0] if isinstance(calls, LISTED) and len(calls) == 1 else None


async def in_turn(calls: Calls, turns: asyncio.Semaphore) -> AsyncGenerator[tuple[int, Call], None]:
    """Yield calls with their numbers, each with a turn that whoever makes it gives back."""
    if isinstance(calls, Sequence):
        for numbered in enumerate(calls):
            await turns.acquire()
            yield numbered
        return
    async with aclosing(calls):
        for index in count():
            await turns.acquire()
            call = await anext(calls, None)
            if call is None:
                return
            yield index, call


async def ask_in_turn(
    job: WholeJob, index: int, call: Call, dispatcher: Dispatcher, turns: asyncio.Semaphore
) -> None:
    await ask(job, index, call, dispatcher)
    turns.release()  # Not after a failure: no other call may begin then.


async def ask(job: WholeJob, index: int, call: Call, dispatcher: Dispatcher) -> None:
    """Have one call answered; a job may ask for another in its place."""

    async def take(held: Held, reply: Reply) -> Call | None:
        dispatcher.waits.upstream.begin()
        try:
            answer = await reply.read()
        finally:
            dispatcher.waits.upstream.end()
        await held.aclose()
        return job.receive(index, answer)

    following: Call | None = call
    while following is not None:
        try:
            following = await dispatcher.ask(following, take)
        except GatewayError as error:
            raise job.explain(index, error) from None


def first_error(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the error that came first; the others follow from it or would say the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception)  # noqa: S101 - the group holds nothing else
    return error
