"""Answers in one piece: every call of a job asked, mended where the job says so, and received."""

import asyncio

from gateway.errors import GatewayError
from gateway.exchange.line import Held, Line
from gateway.translate.endpoint import Job
from gateway.upstream.http import Reply


async def ask_all(job: Job, line: Line) -> None:
    """
    Have every call of ``job`` answered and received, several side by side as far as the caller's tier goes.

    Raises the first GatewayError; the other calls are cut off then.
    """
    if len(job.calls) == 1:
        await ask(job, 0, line)
        return
    turns = asyncio.Semaphore(line.at_once)
    try:
        async with asyncio.TaskGroup() as calls:
            for index in range(len(job.calls)):
                calls.create_task(ask_in_turn(job, index, line, turns))
    except* GatewayError as failed:
        raise first_error(failed) from None


async def ask_in_turn(job: Job, index: int, line: Line, turns: asyncio.Semaphore) -> None:
    async with turns:
        await ask(job, index, line)


async def ask(job: Job, index: int, line: Line) -> None:
    """Have one call answered; a job may ask for another in its place."""

    async def take(held: Held, reply: Reply) -> bytes | None:
        with line.waits.upstream:
            answer = await reply.read()
        await held.aclose()
        return job.receive(index, answer)

    body: bytes | None = job.calls[index]
    while body is not None:
        try:
            body = await line.ask(body, take)
        except GatewayError as error:
            raise job.explain(index, error) from None


def first_error(group: BaseExceptionGroup[GatewayError]) -> GatewayError:
    """Return the error that came first; the others follow from it or would say the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, GatewayError)  # noqa: S101 - the group holds nothing else
    return error
