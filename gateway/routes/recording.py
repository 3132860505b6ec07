"""A caller's recording while it is worked on: a file on disk, read in threads, within bounds of time."""

import asyncio
import logging
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from gateway.audio import Bounds, Cut, Piece, Probe, cut, decode, probe
from gateway.audio.containers import find_start
from gateway.errors import NoRoom
from gateway.translate.transcriptions.upload import RATE

IN_MEMORY_BYTES = 1024 * 1024
"""Up to this size a recording is not written to disk."""

RETRY_AFTER_SECONDS = 5.0

logger = logging.getLogger(__name__)


class SpooledRecording:
    """
    A recording that was received.

    ``max_work_seconds`` bounds the processor's time that it may cost. ``seconds`` is how much of it was decoded.
    One thread at a time works on it. Whoever made it closes it; a thread that still works stops at its next step.
    """

    def __init__(self, *, max_seconds: float, max_work_seconds: float, param: str) -> None:
        # Closed by close(), which outlives any block.
        self.file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115
        self.param = param
        self.seconds = 0.0
        self._bounds = Bounds(max_seconds=max_seconds, expired=self._is_over, param=param)
        self._max_work_seconds = max_work_seconds
        self._work_seconds = 0.0
        self._began = 0.0
        self._closed = False
        self._lock = threading.Lock()

    def write(self, data: bytes | bytearray) -> None:
        """Add to it what was received; it blocks. Raises NoRoom."""
        with self._working():
            try:
                self.file.write(data)
            except OSError as error:
                # Nowhere is known where there is not even a directory.
                where = tempfile.tempdir or "disk"
                logger.error("An upload cannot be written to %s: %s.", where, error.strerror)  # noqa: TRY400
                raise NoRoom(
                    "The gateway has no room for the upload at the moment. Try again shortly.",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                ) from error

    def probe(self) -> Probe:
        """Return what it is; it blocks. Raises InvalidRequest, the caller's fault, also when half is missing."""
        with self._working():
            found = probe(self.file, self._bounds)
            found.check_whole(self._bounds)
            return found

    def read(self) -> bytes:
        """Return it as it came, without tags before it; it blocks."""
        with self._working():
            start, _ = find_start(self.file)
            self.file.seek(start)
            return self.file.read()

    def cut(self, how: Cut) -> Iterator[Piece]:
        """Yield its pieces; it blocks. Raises InvalidRequest, the caller's fault."""
        pieces = cut(decode(self.file, self._bounds, sample_rate=RATE), how, sample_rate=RATE)
        while (piece := self._next(pieces)) is not None:
            yield piece

    async def pieces(self, how: Cut) -> AsyncGenerator[Piece, None]:
        """Yield its pieces, each made in a thread when it is asked for. Raises InvalidRequest."""
        pieces = self.cut(how)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    def close(self) -> None:
        """Remove it; if a thread works on it, as soon as that has stopped."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            self._lock.release()
            self.file.close()

    def _next(self, pieces: Iterator[Piece]) -> Piece | None:
        with self._working():
            piece = next(pieces, None)
        if piece is not None:
            self.seconds = max(self.seconds, piece.end)
        return piece

    @contextmanager
    def _working(self) -> Iterator[None]:
        try:
            with self._lock:
                self._began = time.thread_time()
                try:
                    self._bounds.check_time()
                    yield
                finally:
                    self._work_seconds += time.thread_time() - self._began
        finally:
            if self._closed:
                self.file.close()

    def _is_over(self) -> bool:
        return self._closed or self._work_seconds + time.thread_time() - self._began > self._max_work_seconds
