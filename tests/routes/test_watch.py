"""A watch stops work for a caller that has left, and only then."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import BodyTooSlow
from gateway.routes import watch
from gateway.routes.lookout import Lookout
from gateway.routes.watch import CallerLeftError, CallerWatch

BODY = {"type": "http.request", "body": b"ab", "more_body": False}


def sends(*messages: dict[str, Any], leaves: bool = False) -> Any:
    left = list(messages) + [{"type": "http.disconnect"}] * leaves

    async def receive() -> Any:
        await asyncio.sleep(0)
        return left.pop(0) if left else await asyncio.Event().wait()

    return receive


async def stays() -> Any:
    await asyncio.Event().wait()


def watching(receive: Any, *, on_leave: Callable[[], float]) -> CallerWatch:
    """Return a watch that looks at once."""
    return CallerWatch(receive, on_leave=on_leave, lookout=Lookout(after_seconds=0))


async def serve(one: CallerWatch) -> None:
    """Read the body, and work for ever."""
    async with one:
        while (await one.receive()).get("more_body"):
            pass
        await asyncio.Event().wait()


async def test_body_is_given_up_when_the_rest_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 0.01)

    with pytest.raises(BodyTooSlow) as error:
        await serve(watching(sends(BODY | {"more_body": True}), on_leave=lambda: 0))

    assert (408, "request_timeout") == (error.value.status, error.value.code)


async def test_body_may_take_its_time_when_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is what counts, not how long all of it takes."""
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 0.1)

    async def receive() -> Any:
        await asyncio.sleep(0.06)
        return BODY | {"more_body": True}

    async with watching(receive, on_leave=lambda: 0) as one:
        for _ in range(4):
            await one.receive()


async def test_departure_is_noticed_when_the_body_came_late() -> None:
    """The watch looks for it from the last piece on, however long that took."""
    body = asyncio.Event()
    rest = sends(BODY, leaves=True)

    async def receive() -> Any:
        await body.wait()
        return await rest()

    asyncio.get_running_loop().call_later(0.005, body.set)
    with pytest.raises(CallerLeftError):
        await serve(watching(receive, on_leave=lambda: 0))


async def test_work_goes_on_when_the_caller_stays() -> None:
    async with watching(stays, on_leave=lambda: 0) as one:
        await asyncio.sleep(0.005)

    assert not one.left


async def test_work_is_stopped_when_the_caller_leaves() -> None:
    graces = iter([0.0])

    with pytest.raises(CallerLeftError):
        await serve(watching(sends(BODY, leaves=True), on_leave=lambda: next(graces)))

    assert [] == list(graces)


async def test_work_may_end_when_the_grace_is_long_enough() -> None:
    told = asyncio.Event()

    def leave() -> float:
        told.set()
        return 60

    async with watching(sends(BODY, leaves=True), on_leave=leave) as one:
        await one.receive()
        await told.wait()

    assert one.left


async def test_errors_of_the_work_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        async with watching(stays, on_leave=lambda: 0):
            raise ZeroDivisionError


async def test_cancellation_from_outside_stays_one() -> None:
    """The server's own cancelling is not mistaken for a departure."""

    async def work() -> None:
        async with watching(stays, on_leave=lambda: 0):
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0.005)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_caller_leaves_once_however_often_it_is_said() -> None:
    graces = iter([60.0])

    async with watching(stays, on_leave=lambda: next(graces)) as one:
        one.leave()
        one.leave()

    assert one.left
