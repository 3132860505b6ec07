"""A watch stops work for a caller that has left, and only then."""

import asyncio
from typing import Any

import pytest

from gateway.routes import watch
from gateway.routes.watch import CallerLeftError, CallerWatch


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FIRST_LOOK_SECONDS", 0)


async def stays() -> Any:
    await asyncio.Event().wait()


async def leaves() -> Any:
    return {"type": "http.disconnect"}


async def test_work_goes_on_when_the_caller_stays() -> None:
    async with CallerWatch(stays, on_leave=lambda: 0) as one:
        await asyncio.sleep(0.005)

    assert not one.left


async def test_work_is_stopped_when_the_caller_leaves() -> None:
    graces = iter([0.0])

    with pytest.raises(CallerLeftError):
        async with CallerWatch(leaves, on_leave=lambda: next(graces)):
            await asyncio.Event().wait()

    assert [] == list(graces)


async def test_work_may_end_when_the_grace_is_long_enough() -> None:
    told = asyncio.Event()

    def leave() -> float:
        told.set()
        return 60

    async with CallerWatch(leaves, on_leave=leave) as one:
        await told.wait()

    assert one.left


async def test_errors_of_the_work_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        async with CallerWatch(stays, on_leave=lambda: 0):
            raise ZeroDivisionError


async def test_cancellation_from_outside_stays_one() -> None:
    """The server's own cancelling is not mistaken for a departure."""

    async def work() -> None:
        async with CallerWatch(stays, on_leave=lambda: 0):
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(work())
    await asyncio.sleep(0.005)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_caller_leaves_once_however_often_it_is_said() -> None:
    graces = iter([60.0])

    async with CallerWatch(stays, on_leave=lambda: next(graces)) as one:
        one.leave()
        one.leave()

    assert one.left
