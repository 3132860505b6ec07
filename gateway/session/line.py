"""GLM's end of a session: a slot, the socket that it is for, and another socket where one is lost."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.exchange.accounts import note_failure
from gateway.exchange.dispatcher import fault_of
from gateway.exchange.tries import may_retry
from gateway.limits.limiter import Scope, Slot, serves
from gateway.record import UpstreamFault
from gateway.session.desk import SessionDesk
from gateway.session.entry import enter, note_call, note_loss
from gateway.upstream.realtime import status_of
from gateway.upstream.socket import GlmSocket, UpstreamClosedError

OK: Final = 200
CLOSE_SECONDS: Final = 2.0
NOTICE_SECONDS: Final = 0.05
"""How long is waited for GLM to agree that a call has ended; then its slot is free all the same."""
PAUSE_SECONDS: Final = 0.25


class Line:
    """
    What a call holds of GLM. One that is not opened holds nothing, as in a session that only writes down.

    ``slot`` is None before it is taken, and once it was given back. ``refusal`` is what GLM last said of the
    account on the connection that there is, ``opened_at`` is since when there is that.
    """

    def __init__(self, session_desk: SessionDesk, exchange: Exchange) -> None:
        self.slot: Slot | None = None
        self._shared = session_desk
        self._desk = session_desk.desk
        self.refusal: GatewayError | None = None
        self._exchange = exchange
        self._socket: GlmSocket | None = None
        # A slot's own is narrower where it tries an account that was set aside.
        self._scope: Scope | None = None
        self._patience_seconds = 0.0
        self.opened_at = 0.0
        self._tell_lost: Callable[[], None] | None = None

    async def open(self, scope: Scope, *, patience_seconds: float) -> None:
        """Take a slot, waiting for it if need be, and open the socket; raise GatewayError."""
        self._scope, self._patience_seconds = scope, patience_seconds
        self.slot, self._socket = await enter(
            self._shared, self._exchange, scope, patience_seconds=patience_seconds
        )
        self.refusal, self.opened_at = None, self._desk.clock()
        self.on_lost(self._tell_lost)

    def on_lost(self, tell: Callable[[], None] | None) -> None:
        """Have ``tell`` called when the slot is lost, at once if it is already; None: nobody has to know."""
        self._tell_lost = tell
        if self.slot is not None:
            self.slot.on_lost(tell)

    def learn(self, error: GatewayError) -> bool:
        """Learn what GLM's error says of the account. Returns whether another had better serve, and may."""
        slot, scope = self.slot, self._scope
        if slot is None or scope is None:
            return False
        self.refusal = error
        fault = self._note_fault(error, http_status=OK)
        verdict = note_failure(self._desk, slot, error, fault, asked_at=self.opened_at)
        return verdict in ("account", "model") and serves(scope)

    async def move(self, error: GatewayError) -> None:
        """Give up the account, for what GLM says of it, for another; raise GatewayError, with nothing held."""
        assert self._scope is not None  # noqa: S101 - it was opened
        record = self._exchange.record
        note_loss(record, fault_of(error, http_status=OK), ended_at=self._desk.clock())
        record.retries += 1
        await self.hang_up()
        await self.open(self._scope, patience_seconds=self._patience_seconds)

    @property
    def is_open(self) -> bool:
        """Whether there is a GLM at the other end."""
        return self._socket is not None

    @property
    def socket(self) -> GlmSocket:
        """The socket, of a line that is open."""
        assert self._socket is not None  # noqa: S101 - it is opened before anything is sent
        return self._socket

    @property
    def is_ready(self) -> bool:
        """Whether what is sent has nothing to wait for; nothing is sent on a line that is not open."""
        return self._socket is None or self._socket.is_ready

    def put(self, data: bytes) -> None:
        """Send a text message at once, on a line that is ready."""
        self.socket.put(data)

    async def send(self, data: bytes) -> None:
        """Send a text message; a socket that is closed is noticed by whoever reads from it."""
        with suppress(UpstreamClosedError):
            await self.socket.send(data)

    def note_loss(self, error: GatewayError) -> None:
        """Write down that the socket was lost."""
        note_loss(self._exchange.record, self._note_fault(error), ended_at=self._desk.clock())

    async def reopen(self, slot: Slot) -> None:
        """Open another socket for the same slot, again after a pause where that may go better."""
        record, clock, tries = self._exchange.record, self._desk.clock, self._desk.policy.max_retries + 1
        for number in range(tries):
            asked_at = clock()
            try:
                self._socket = await self._shared.upstream.connect(account=slot.account)
            except GatewayError as error:
                fault = self._note_fault(error, http_status=status_of(error))
                note_call(record, slot, asked_at=asked_at, ended_at=clock(), fault=fault)
                if number == tries - 1 or not may_retry(error, fault):
                    raise
            else:
                self.refusal, self.opened_at = None, asked_at
                note_call(record, slot, asked_at=asked_at)
                return
            await asyncio.sleep(PAUSE_SECONDS * 2**number)

    async def hang_up(self) -> None:
        """Tell GLM that the call has ended and give the slot back: GLM counts the call until it knows."""
        try:
            await self._close(seconds=NOTICE_SECONDS)
        finally:
            self.release()

    def release(self) -> None:
        """Give the slot back, at once; again has no effect."""
        slot, self.slot = self.slot, None
        if slot is not None:
            self._desk.limiter.release(slot)

    async def aclose(self) -> None:
        """Close the socket; GLM has two seconds to agree."""
        await self._close(seconds=CLOSE_SECONDS)
        self._socket = None

    async def _close(self, *, seconds: float) -> None:
        if self._socket is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._socket.aclose()

    def _note_fault(self, error: GatewayError, *, http_status: int = 0) -> UpstreamFault:
        fault = fault_of(error, http_status=http_status)
        self._exchange.record.faults.append(fault)
        return fault
