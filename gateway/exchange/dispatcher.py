"""The way to GLM: a slot, the request, and once more what may be tried again while the caller has seen nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

from msgspec import Struct, field

from gateway.catalog import Model
from gateway.errors import (
    GatewayError,
    InvalidOutput,
    InvalidRequest,
    RateLimited,
    SlotLost,
    UpstreamFailed,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from gateway.exchange.accounts import elsewhere, note_failure, take_slot
from gateway.exchange.desk import Desk
from gateway.exchange.held import Held
from gateway.exchange.tries import Tries
from gateway.exchange.waits import Waits
from gateway.glm.errors import BUSINESS_CODES
from gateway.limits.limiter import Scope, Slot, serves
from gateway.record import Phase, Record, UpstreamCall, UpstreamFault
from gateway.translate.endpoint import Call
from gateway.translate.errors import from_glm, kind_of, read_error
from gateway.upstream.http import Reply

OK = 200

Taken = TypeVar("Taken")


class Dispatcher(Struct, eq=False):
    """
    Takes the calls of one exchange to GLM.

    ``scope`` says what the slot of a call for a model is counted per, None being the exchange's. ``path`` is where
    calls go that name no other. ``patience_seconds`` bounds the wait of each for its slot, and for the last try of
    it to begin. ``under_way`` counts the calls that have a slot.
    """

    __repr__ = object.__repr__  # What it holds is not for logs.

    desk: Desk
    record: Record
    waits: Waits
    scope: Callable[[Model | None], Scope]
    path: str
    patience_seconds: float
    under_way: int = 0
    _in_line: set[asyncio.Task[Any]] = field(default_factory=set)
    _last_ended: asyncio.Event | None = None

    def at_once(self, most: int | None) -> int:
        """Return how many calls to make side by side, at most ``most``."""
        scope = self.scope(None)
        # More of them would wait for their own siblings, and give up on them.
        room = max(1, min(scope.limit, max((account.limit for account in scope.accounts), default=1)))
        return room if most is None else min(room, most)

    def dismiss(self) -> None:
        """Begin nothing more, as nobody waits for it; what is under way may end, and ends the rest with it."""
        self._last_ended = asyncio.Event()
        for task in self._in_line:
            task.cancel()

    async def ask(self, call: Call, take: Callable[[Held, Reply], Awaitable[Taken]]) -> Taken:
        """
        Make a call of GLM and return what ``take`` makes of the answer, once its head says that it succeeds.

        ``take`` owns what it is given, unless it raises. It may run again after a GatewayError of its own, as
        long as the caller has seen nothing. Raises RateLimited when no slot becomes free, SlotLost when the
        limiter takes it back, and GLM's errors.
        """
        deadline = self.desk.clock() + self.patience_seconds
        tries = Tries(self.desk)
        body = call.body
        failed: set[str] = set()
        while True:
            scope = self.scope(call.model)
            wanted = elsewhere(self.desk, scope, failed) if failed else scope
            if self._last_ended is not None:
                await self._give_way(self._last_ended)
            slot = self.desk.limiter.take(wanted)
            if slot is None:
                slot = await self._stand_in_line(wanted, deadline=deadline)
            held = self._hold(slot)
            try:
                return await self._send(held, call, body, take)
            except GatewayError as error:
                try:
                    fault = held.fault = self.note_fault(error, http_status=held.status)
                    # Before the slot is given back: who is next in line must not try what has just refused.
                    verdict = note_failure(self.desk, held.slot, error, fault, asked_at=held.asked_at)
                finally:
                    await held.aclose()
                failed.add(held.slot.account)
                pause_seconds = tries.pause_seconds(error, fault, verdict, others=serves(scope))
                following = after(error, call, body)
                if pause_seconds is None and following is not body and following is call.otherwise:
                    pause_seconds = 0.0
                if pause_seconds is None or self.record.outcome == "client_disconnect":
                    raise
                body = following
                if pause_seconds and self.desk.clock() + pause_seconds > deadline:
                    raise
            except BaseException as error:
                slot_was_lost = isinstance(error, asyncio.CancelledError) and held.was_stopped()
                self.desk.health.end_trial(slot.account, slot.scope.model, asked_at=held.asked_at)
                await held.aclose()
                if slot_was_lost:
                    raise slot_lost() from None
                raise
            await self._pause(pause_seconds)

    def note_fault(self, error: GatewayError, *, http_status: int) -> UpstreamFault:
        """Write down a call that failed; ``http_status`` 0 when there was no answer."""
        fault = fault_of(error, http_status=http_status)
        self.record.faults.append(fault)
        return fault

    async def _stand_in_line(self, scope: Scope, *, deadline: float) -> Slot:
        self._pass_to("queued")
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has one
        timeout_seconds = deadline - self.desk.clock()
        self._in_line.add(task)
        try:
            with self.waits.queue:
                return await take_slot(self.desk, scope, record=self.record, timeout_seconds=timeout_seconds)
        except asyncio.CancelledError:
            if self._last_ended is None or task.uncancel():
                raise
        finally:
            self._in_line.discard(task)
        return await self._give_way(self._last_ended)

    async def _give_way(self, last_ended: asyncio.Event) -> NoReturn:
        """Wait for the other calls, which an error would cut off, and end the exchange."""
        if self.under_way:
            await last_ended.wait()
        raise RateLimited("The caller has left, and what had not begun was not begun.")

    def _hold(self, slot: Slot) -> Held:
        self._pass_to("before_first_byte")
        self.record.account = slot.account
        self.under_way += 1
        return Held(slot, self.desk.limiter, self._end)

    def _end(self, held: Held) -> None:
        self.under_way -= 1
        if self.record.span is not None and held.asked_at:
            self.record.span.calls.append(
                UpstreamCall(
                    model=held.slot.scope.model,
                    account=held.slot.account,
                    asked_at=held.asked_at,
                    ended_at=self.desk.clock(),
                    http_status=held.status,
                    fault=held.fault,
                )
            )
        if not self.under_way and self._last_ended is not None:
            self._last_ended.set()

    def _pass_to(self, phase: Phase) -> None:
        """Write down how far the exchange is; of several calls the one that is furthest counts."""
        if not self.under_way:
            self.record.phase = phase

    async def _send(
        self, held: Held, call: Call, body: bytes, take: Callable[[Held, Reply], Awaitable[Taken]]
    ) -> Taken:
        if self.desk.limiter.leases and self.desk.policy.stop_on_lost_lease:
            held.work = asyncio.current_task()
            held.slot.on_lost(held.lose)
        started = held.asked_at = self.desk.clock()
        self.waits.upstream.begin()
        try:
            reply = held.reply = await self.desk.upstream.post(
                call.path or self.path, account=held.slot.account, body=body, content_type=call.content_type
            )
        finally:
            self.waits.upstream.end()
        if reply.status != OK:
            raise await self._refusal(reply)
        if self.record.response_start_seconds is None:
            self.record.response_start_seconds = self.desk.clock() - started
        taken = await take(held, reply)
        held.work = None
        self.desk.health.succeed(held.slot.account, held.slot.scope.model, asked_at=started)
        return taken

    async def _refusal(self, reply: Reply) -> GatewayError:
        with self.waits.upstream:
            body = await reply.read()
        return from_glm(read_error(body), http_status=reply.status)

    async def _pause(self, seconds: float) -> None:
        self.record.retries += 1
        self._pass_to("queued")
        with self.waits.upstream:
            await asyncio.sleep(seconds)


def after(error: GatewayError, call: Call, body: bytes) -> bytes:
    """Return the body for the next try of a call that failed with this one."""
    if call.otherwise is not None and (isinstance(error, InvalidRequest) or body is call.otherwise):
        return call.otherwise
    if call.again is None or isinstance(error, UpstreamUnreachable):
        return body
    return call.again


def slot_lost() -> SlotLost:
    """Return the error for work whose slot may be somebody else's by now."""
    return SlotLost(
        "The gateway could not renew this request's slot in time and gave the request up. Ask again.",
        retry_after_seconds=1,
    )


def fault_of(error: GatewayError, *, http_status: int) -> UpstreamFault:
    """Return what to count for a call that failed; ``http_status`` 0 when there was no answer."""
    code = error.glm_code or ""
    kind: str | None = next((kind for cause, kind in KIND_BY_CAUSE if isinstance(error, cause)), None)
    if kind is None or code in BUSINESS_CODES:
        kind = kind_of(code, http_status=http_status)
    return UpstreamFault(http_status=http_status, code=code, kind=kind)


KIND_BY_CAUSE: tuple[tuple[type[GatewayError], str], ...] = (
    (UpstreamUnreachable, "connect"),
    (UpstreamUnavailable, "disconnect"),
    (UpstreamTimeout, "timeout"),
    (UpstreamProtocolError, "protocol"),
    (UpstreamFailed, "internal"),
    (InvalidOutput, "output"),
)
"""The most specific first."""
