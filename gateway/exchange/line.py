"""One call to GLM with the slot that pays for it: opened with patience, closed once."""

import asyncio

import anyio

from gateway.errors import (
    GatewayError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from gateway.exchange.desk import Desk
from gateway.glm.errors import BUSINESS_CODES
from gateway.limits.limiter import Scope, Slot
from gateway.record import Record, UpstreamFault
from gateway.translate.errors import from_glm, kind_of, read_error
from gateway.upstream.http import Reply

FIRST_BACKOFF_SECONDS = 0.25
MAX_BACKOFF_SECONDS = 4.0
CLOSE_SECONDS = 5.0
OK = 200


class Held:
    """An answer of GLM's that is coming in, and the slot it occupies."""

    def __init__(self, reply: Reply, *, slot: Slot, desk: Desk) -> None:
        self.reply = reply
        self._slot = slot
        self._desk = desk

    async def aclose(self) -> None:
        """Close the connection and give the slot back, whatever cancels the caller; again has no effect."""
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            try:
                await self.reply.aclose()
            finally:
                await self._desk.limiter.release(self._slot)


class Opening:
    """
    Opens calls for one exchange: takes a slot, sends, and tries again what may be tried again.

    ``patience_seconds`` bounds the wait for a slot, and for a retry to begin.
    """

    def __init__(self, desk: Desk, *, record: Record, scope: Scope, path: str, patience_seconds: float) -> None:
        self._desk = desk
        self._record = record
        self._scope = scope
        self._path = path
        self._patience_seconds = patience_seconds

    async def open(self, body: bytes) -> Held:
        """
        Return GLM's answer to ``body``, once its head says that it succeeds.

        Raises RateLimited when no slot becomes free, and GLM's own errors in our terms.
        """
        deadline = self._desk.clock() + self._patience_seconds
        retries = 0
        while True:
            try:
                return await self._open_once(body)
            except GatewayError as error:
                pause = self._pause_seconds(error, retries=retries, deadline=deadline)
                if pause is None:
                    raise
            retries += 1
            self._record.retries += 1
            await asyncio.sleep(pause)

    async def _open_once(self, body: bytes) -> Held:
        slot = await self._desk.limiter.acquire(self._scope, timeout_seconds=self._patience_seconds)
        self._record.queued_seconds += slot.waited_seconds
        self._record.account = slot.account
        self._record.phase = "before_first_byte"
        try:
            reply = await self._send(body, slot)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._desk.limiter.release(slot)
            raise
        held = Held(reply, slot=slot, desk=self._desk)
        if reply.status == OK:
            return held
        try:
            raise await self._refusal(reply)
        finally:
            await held.aclose()

    async def _send(self, body: bytes, slot: Slot) -> Reply:
        clock, record = self._desk.clock, self._record
        started = clock()
        try:
            return await self._desk.upstream.post(self._path, account=slot.account, body=body)
        except GatewayError as error:
            record.faults.append(fault_of(error))
            raise
        finally:
            waited = clock() - started
            record.upstream_seconds += waited
            if record.response_start_seconds is None:
                record.response_start_seconds = waited

    async def _refusal(self, reply: Reply) -> GatewayError:
        error = from_glm(read_error(await reply.read()), http_status=reply.status)
        self._record.faults.append(fault_of(error, http_status=reply.status))
        return error

    def _pause_seconds(self, error: GatewayError, *, retries: int, deadline: float) -> float | None:
        """Return how long to wait before another try, None when there is to be none."""
        if retries >= self._desk.policy.max_retries or not may_retry(error, self._record):
            return None
        backoff = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**retries)
        pause = backoff * (0.5 + self._desk.jitter() / 2)
        return pause if self._desk.clock() + pause < deadline else None


def fault_of(error: GatewayError, *, http_status: int = 0) -> UpstreamFault:
    """Return what to count for a call that failed; ``http_status`` 0 when no answer, or no whole one, came."""
    kind: str | None = next((kind for cause, kind in KIND_BY_CAUSE if isinstance(error, cause)), None)
    code = error.glm_code or ""
    return UpstreamFault(http_status=http_status, code=code, kind=kind or kind_of(code, http_status=http_status))


KIND_BY_CAUSE: tuple[tuple[type[GatewayError], str], ...] = (
    (UpstreamUnreachable, "connect"),
    (UpstreamUnavailable, "disconnect"),
    (UpstreamTimeout, "timeout"),
    (UpstreamProtocolError, "protocol"),
)


def may_retry(error: GatewayError, record: Record) -> bool:
    """Tell whether the same call may succeed soon; only what certainly was not charged is tried again."""
    if isinstance(error, UpstreamUnreachable):
        return True
    if error.glm_code is not None and error.glm_code in BUSINESS_CODES:
        return BUSINESS_CODES[error.glm_code].retryable
    return bool(record.faults) and record.faults[-1].http_status >= 500
