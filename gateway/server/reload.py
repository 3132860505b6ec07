"""
When to read the configuration again: at SIGHUP, or when one of its files has become another.

What is read, what follows from it, and what tells a file from another, is decided elsewhere.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

INTERVAL_SECONDS = 1.0

Files = Mapping[Path, object]
Look = Callable[[Path], object]
Reload = Callable[[], Awaitable[Files]]


@asynccontextmanager
async def reloading(
    reload: Reload, *, files: Files, look: Look, interval_seconds: float = INTERVAL_SECONDS
) -> AsyncIterator[None]:
    """
    Call ``reload`` while this is open: at every SIGHUP, and when one of ``files`` has changed.

    ``files`` has what ``look`` gave for each just before it was read; ``reload`` gives the same anew. A change
    counts once it has rested for an interval, so that a file that is still being written is not read.
    """
    asked = asyncio.Event()
    with _hangups(asked):
        async with asyncio.TaskGroup() as tasks:
            watcher = tasks.create_task(
                _watch(reload, files, look=look, asked=asked, interval_seconds=interval_seconds)
            )
            yield
            watcher.cancel()


async def _watch(
    reload: Reload, files: Files, *, look: Look, asked: asyncio.Event, interval_seconds: float
) -> None:
    known = latest = files
    while True:
        await _wait(asked, seconds=interval_seconds)
        before, latest = latest, {path: look(path) for path in known}
        if asked.is_set() or (latest != known and latest == before):
            asked.clear()
            known = latest = await reload()


async def _wait(asked: asyncio.Event, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await asked.wait()
    except TimeoutError:
        return


@contextmanager
def _hangups(asked: asyncio.Event) -> Iterator[None]:
    if sys.platform == "win32":  # it has no such signal
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)  # the loop leaves it as a reason to end
