"""One realtime session, from the slot it takes to the record it leaves."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from gateway.auth import Caller
from gateway.catalog import Model
from gateway.errors import Draining, GatewayError, SessionExpired, UpstreamUnavailable
from gateway.exchange import Exchange
from gateway.openai.realtime.session import Kind, SessionChange
from gateway.record import ClosedBy, SessionFacts
from gateway.session.desk import SessionDesk
from gateway.session.ends import ClientGoneError, ClientSocket, EndedError, first
from gateway.session.entry import talk_of
from gateway.session.errands import Errands
from gateway.session.inbox import Inbox
from gateway.session.line import Line
from gateway.session.performer import Performer
from gateway.session.watch import LOOK_SECONDS, Watch
from gateway.translate.realtime import Effect, Scribe, Translator
from gateway.translate.realtime.shapes import Shape
from gateway.translate.realtime.sound import FRAME_BYTES, INPUT_BYTES_PER_SECOND, OUTPUT_BYTES_PER_SECOND
from gateway.upstream.socket import UpstreamClosedError

GOING_AWAY: Final = 1001
INTERNAL_ERROR: Final = 1011
STEADY_SECONDS: Final = 60.0
"""A connection to GLM that held for as long as this is no sign that others will not."""
GOODBYE_SECONDS: Final = 2.0
"""How long a client may take to make room for the goodbye; nobody looks any more whether it stalls."""


class Session:
    """
    One session.

    ``open`` takes the slot and reaches GLM, while errors can still answer the handshake; a session that only
    writes down is not opened, since each of its turns takes a slot of its own. ``run``, after ``prepare``, is the
    conversation itself. ``aclose`` gives back what is held; again has no effect.
    """

    def __init__(self, session_desk: SessionDesk, exchange: Exchange) -> None:
        self._shared = session_desk
        self._exchange = exchange
        self._desk = session_desk.desk
        self._facts = exchange.record.session = SessionFacts()
        self._line = Line(session_desk, exchange)
        self._counted: tuple[str, str] | None = None
        self._losses = 0
        self._inbox = Inbox()
        self._watch = Watch(self._desk.clock)
        self._error: GatewayError | None = None
        self._failure: Exception | None = None

    async def open(self, model: Model, *, caller: Caller) -> None:
        """Take a slot, waiting for it if need be, and open GLM's socket; raise GatewayError."""
        scope = self._exchange.claim(caller, model)
        own_seconds = caller.queue_timeout_seconds
        seconds = own_seconds if own_seconds is not None else self._shared.policy.queue_seconds
        await self._line.open(scope, patience_seconds=seconds)
        self._exchange.record.phase = "streaming"

    def prepare(
        self,
        model: Model,
        *,
        kind: Kind,
        caller: Caller,
        asked_model: str,
        shape: Shape,
        change: SessionChange | None,
    ) -> list[Effect]:
        """Return what both sides are to be told first; raise InvalidRequest for what the client's key brings."""
        talk = talk_of(
            self._shared,
            self._exchange,
            model,
            kind=kind,
            caller=caller,
            asked_model=asked_model,
            shape=shape,
        )
        self._errands = Errands(self._desk, self._shared.endpoints, caller=caller, record=self._exchange.record)
        self._translator = Scribe(talk, model=model.id) if kind == "transcription" else Translator(talk)
        return self._translator.start(change, now=self._desk.clock())

    async def run(self, client: ClientSocket, beginning: Iterable[Effect]) -> None:
        """Carry events both ways until one side leaves, or time is up."""
        self._client = client
        self._counted = (self._exchange.record.operation, self._exchange.record.model)
        self._desk.streams[self._counted] += 1
        if self._desk.policy.stop_on_lost_lease:
            self._line.on_lost(self._watch.lose_slot)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._performer = self._make_performer(tasks)
                await self._performer.perform(beginning)
                tasks.create_task(self._listen_to_client())
                tasks.create_task(self._heed_client())
                if self._line.is_open:
                    tasks.create_task(self._listen_to_glm())
                tasks.create_task(self._keep_time())
                tasks.create_task(self._cut_stalls())
        except* ClientGoneError as gone:
            self._note_end("client", code=first(gone, ClientGoneError).code)
        except* EndedError as ended:
            end = first(ended, EndedError)
            self._note_end("glm" if end.code == INTERNAL_ERROR else "gateway", code=end.code)
            await self._line.hang_up()
            self._uncount()
            with suppress(ClientGoneError, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await client.close(code=end.code, reason=end.reason)
        finally:
            self._sum_up()

    async def aclose(self) -> None:
        """Give back everything."""
        try:
            await self._line.hang_up()
        finally:
            self._uncount()
        await self._line.aclose()
        if self._error is not None:
            self._exchange.fail(self._error)

    # --- What is done side by side ------------------------------------------------------------------

    async def _listen_to_client(self) -> None:
        try:
            while True:
                await self._performer.wait_for_room()  # GLM is sent at a pace; who sends faster has to wait.
                data = await self._client.receive(self._take_from_client)
                self._raise_failure()
                await self._inbox.put(data)
        except ClientGoneError:
            await self._inbox.settle()
            raise

    async def _heed_client(self) -> None:
        while True:
            data = await self._inbox.next()
            async with self._performer.turn:
                await self._performer.perform(self._hear_client(data))
            self._inbox.done(data)

    async def _listen_to_glm(self) -> None:
        while True:
            try:
                data = await self._line.socket.receive(self._take_from_glm)
            except UpstreamClosedError as closed:
                await self._reconnect(closed)
                continue
            self._raise_failure()
            async with self._performer.turn:
                try:
                    await self._performer.perform(self._hear_glm(data))
                except GatewayError as error:
                    await self._end(error, code=INTERNAL_ERROR)

    async def _keep_time(self) -> None:
        policy = self._shared.policy
        while True:
            await self._watch.wait(until=self._translator.due)
            async with self._performer.turn:
                await self._performer.perform(self._translator.wake(now=self._desk.clock()))
                error = self._watch.verdict(
                    policy, draining=self._shared.is_draining(), responding=self._translator.responding
                )
                if error is not None:
                    await self._end(error, code=GOING_AWAY)

    async def _cut_stalls(self) -> None:
        """Give up who takes nothing of what it is sent: as long as it does not, everything else waits."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._watch.client_stalls:
                raise ClientGoneError
            if self._watch.glm_stalls:
                self._line.socket.cut()

    def _hear_client(self, data: str | bytes) -> list[Effect]:
        self._watch.hear_client()
        effects = self._translator.from_client(data, now=self._desk.clock())
        self._facts.events["from_client", self._translator.read] += 1
        return effects

    def _hear_glm(self, data: str | bytes) -> list[Effect]:
        effects = self._translator.from_glm(data, now=self._desk.clock())
        self._facts.events["from_glm", self._translator.read] += 1
        return effects

    # --- The same without waking a task for a message -----------------------------------------------

    def _take_from_client(self, data: str | bytes) -> bool:
        return self._inbox.is_empty and not self._translator.full and self._take(data, self._hear_client)

    def _take_from_glm(self, data: str | bytes) -> bool:
        # Before GLM has taken anything, an error of its may lead elsewhere, which takes time.
        return self._translator.resumable and self._take(data, self._hear_glm)

    def _take(self, data: str | bytes, hear: Callable[[str | bytes], list[Effect]]) -> bool:
        """Deal with a message within the call that brings it, unless somebody has to be waited for."""
        if self._failure is not None or not self._performer.is_ready:
            return False
        try:
            self._performer.perform_at_once(hear(data))
        except Exception as error:  # noqa: BLE001 - raised again by who listens, and wakes as this is not taken
            self._failure = error
            return False
        return True

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # --- Within -------------------------------------------------------------------------------------

    def _make_performer(self, tasks: asyncio.TaskGroup) -> Performer:
        return Performer(
            self._translator,
            client=self._client,
            line=self._line,
            errands=self._errands,
            watch=self._watch,
            facts=self._facts,
            clock=self._desk.clock,
            tasks=tasks,
        )

    async def _reconnect(self, closed: UpstreamClosedError) -> None:
        """Replace a connection to GLM that was lost, or end the session."""
        async with self._performer.turn:
            lost = UpstreamUnavailable(f"The connection to GLM was lost (close code {closed.code}). Begin anew.")
            self._line.note_loss(lost)
            if not self._translator.resumable:
                await self._end(self._line.refusal or lost, code=INTERNAL_ERROR)
            if self._desk.clock() - self._line.opened_at >= STEADY_SECONDS:
                self._losses = 0
            if self._losses >= self._shared.policy.max_reconnects:
                await self._end(lost, code=INTERNAL_ERROR)
            if self._line.slot is None:
                return
            self._losses += 1
            self._facts.reconnects += 1
            try:
                await self._line.reopen(self._line.slot)
            except GatewayError as error:
                await self._end(error, code=INTERNAL_ERROR)
            await self._performer.perform(self._translator.resume(now=self._desk.clock()))

    async def _end(self, error: GatewayError, *, code: int) -> None:
        # A drain that cuts no response, too, is an end that was meant to come, and nobody's failure.
        if not (
            isinstance(error, SessionExpired) or (isinstance(error, Draining) and not self._translator.responding)
        ):
            self._error = error
        await self._performer.perform(self._translator.end(error, code=code))

    def _uncount(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            self._desk.streams[counted] -= 1

    def _sum_up(self) -> None:
        self._facts.heard_seconds = self._translator.heard_bytes / INPUT_BYTES_PER_SECOND
        self._facts.dropped_frames = self._translator.dropped_bytes // FRAME_BYTES
        self._facts.spoken_seconds = self._translator.spoken_bytes / OUTPUT_BYTES_PER_SECOND

    def _note_end(self, by: ClosedBy, *, code: int) -> None:
        self._facts.closed_by = by
        self._facts.close_code = code
