"""One realtime session, from the slot it takes to the record it leaves."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from msgspec.structs import replace

from gateway.auth import Caller
from gateway.catalog import Model, RealtimeTraits
from gateway.errors import GatewayError, UpstreamUnavailable, UpstreamUnreachable
from gateway.exchange import Exchange
from gateway.exchange.dispatcher import fault_of
from gateway.exchange.exchange import check_operation
from gateway.limits.limiter import Slot
from gateway.openai.realtime.session import Kind, SessionChange
from gateway.record import Call, ClosedBy, UpstreamFault
from gateway.session.desk import SessionDesk
from gateway.session.entry import enter, note_call, note_loss
from gateway.session.errands import Errands
from gateway.session.watch import SessionExpired, Watch
from gateway.translate.realtime import Close, Effect, Errand, Forget, Scribe, ToClient, ToGlm, Translator
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.effects import Ended
from gateway.translate.realtime.shapes import Shape
from gateway.translate.realtime.sound import FRAME_BYTES, INPUT_BYTES_PER_SECOND, OUTPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk
from gateway.upstream.realtime import GlmSocket, UpstreamClosedError

GOING_AWAY: Final = 1001
INTERNAL_ERROR: Final = 1011
CLOSE_SECONDS: Final = 2.0
NOTICE_SECONDS: Final = 0.05
"""How long is waited for GLM to agree that a call has ended; then its slot is free all the same."""
PAUSE_SECONDS: Final = 0.25

logger = logging.getLogger(__name__)


class ClientGoneError(Exception):
    """Raised when the client has left; ``code`` is WebSocket's."""

    def __init__(self, code: int = 1005) -> None:
        super().__init__(code)
        self.code = code


class ClientSocket(Protocol):
    """The client's end, open."""

    async def send(self, data: bytes) -> None:
        """Send a text message; raise ClientGoneError."""

    async def receive(self) -> str | bytes:
        """Return the next message; raise ClientGoneError."""

    async def close(self, *, code: int, reason: str) -> None:
        """Close it."""


class EndedError(Exception):
    """Raised within a session to end it, with the close code and reason for the client."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Session:
    """
    One call.

    ``open`` takes the slot and reaches GLM, while errors can still answer the handshake; a session that only
    writes down is not opened, since each of its turns takes a slot of its own. ``run`` is the call itself.
    ``aclose`` gives back what is held; again has no effect.
    """

    def __init__(self, session_desk: SessionDesk, exchange: Exchange) -> None:
        self._shared = session_desk
        self._exchange = exchange
        self._desk = session_desk.desk
        self._call = exchange.record.call = Call()
        self._slot: Slot | None = None
        self._counted: tuple[str, str] | None = None
        self._glm: GlmSocket | None = None
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._watch = Watch(self._desk.clock)
        self._error: GatewayError | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def open(self, model: Model, *, caller: Caller) -> None:
        """Take a slot, waiting for it if need be, and open GLM's socket; raise GatewayError."""
        scope = self._exchange.claim(caller, model)
        own_seconds = caller.queue_timeout_seconds
        seconds = own_seconds if own_seconds is not None else self._shared.policy.queue_seconds
        self._slot, self._glm = await enter(self._shared, self._exchange, scope, patience_seconds=seconds)
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
        desk, policy = self._desk, self._shared.policy
        traits = model.realtime or RealtimeTraits()
        first = Config.first(
            model=model.id, asked_model=asked_model, voices=traits.voices, voice=traits.default_voice
        )
        talk = Talk(
            config=replace(first, kind=kind),
            policy=policy.translation,
            shape=shape,
            sound=self._shared.sound,
            new_id=desk.new_id,
            session_id=f"sess_{desk.new_id()}",
            conversation_id=f"conv_{desk.new_id()}",
            expires_at=int(desk.now() + policy.max_seconds),
            strict=caller.strict,
            check_transcriber=partial(self._check_transcriber, caller=caller),
        )
        self._errands = Errands(desk, self._shared.endpoints, caller=caller, record=self._exchange.record)
        self._translator = Scribe(talk, model=model.id) if kind == "transcription" else Translator(talk)
        return self._translator.start(change, now=desk.clock())

    async def run(self, client: ClientSocket, beginning: Iterable[Effect]) -> None:
        """Carry events both ways until one side leaves, or time is up."""
        self._client = client
        self._counted = (self._exchange.record.operation, self._exchange.record.model)
        self._desk.streams[self._counted] += 1
        if self._slot is not None and self._desk.policy.stop_on_lost_lease:
            self._slot.on_lost(self._watch.lose_slot)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._perform(beginning)
                tasks.create_task(self._listen_to_client())
                if self._glm is not None:
                    tasks.create_task(self._listen_to_glm())
                tasks.create_task(self._keep_time())
        except* ClientGoneError as gone:
            self._note_end("client", code=first(gone, ClientGoneError).code)
        except* EndedError as ended:
            end = first(ended, EndedError)
            self._note_end("glm" if end.code == INTERNAL_ERROR else "gateway", code=end.code)
            await self._hang_up()
            with suppress(ClientGoneError):
                await client.close(code=end.code, reason=end.reason)

    def release(self) -> None:
        """Give the slot back, at once; again has no effect."""
        slot, self._slot = self._slot, None
        if slot is not None:
            self._desk.limiter.release(slot)
        counted, self._counted = self._counted, None
        if counted is not None:
            self._desk.streams[counted] -= 1

    async def aclose(self) -> None:
        """Give back everything."""
        await self._hang_up()
        glm, self._glm = self._glm, None
        if glm is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await glm.aclose()
        if hasattr(self, "_translator"):
            self._call.heard_seconds = self._translator.heard_bytes / INPUT_BYTES_PER_SECOND
            self._call.dropped_frames = self._translator.dropped_bytes // FRAME_BYTES
            self._call.spoken_seconds = self._translator.spoken_bytes / OUTPUT_BYTES_PER_SECOND
        if self._error is not None:
            self._exchange.fail(self._error)

    async def _hang_up(self) -> None:
        """Tell GLM that the call has ended and give the slot back: GLM counts the call until it knows."""
        try:
            if self._glm is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(NOTICE_SECONDS):
                        await self._glm.aclose()
        finally:
            self.release()

    # --- The three tasks ----------------------------------------------------------------------------

    async def _listen_to_client(self) -> None:
        while True:
            if self._translator.full:  # What GLM is sent keeps to a pace; who sends faster has to wait.
                self._room.clear()
                await self._room.wait()
            data = await self._client.receive()
            async with self._turn:
                self._watch.hear_client()
                effects = self._translator.from_client(data, now=self._desk.clock())
                self._call.events["from_client", self._translator.read] += 1
                await self._perform(effects)

    async def _listen_to_glm(self) -> None:
        while True:
            try:
                data = await self._socket.receive()
            except UpstreamClosedError as closed:
                await self._reconnect(closed)
                continue
            async with self._turn:
                effects = self._translator.from_glm(data, now=self._desk.clock())
                self._call.events["from_glm", self._translator.read] += 1
                await self._perform(effects)

    async def _keep_time(self) -> None:
        policy = self._shared.policy
        while True:
            await self._watch.wait(until=self._translator.due)
            self._cut_stalls()
            async with self._turn:
                await self._perform(self._translator.wake(now=self._desk.clock()))
                error = self._watch.verdict(
                    policy, draining=self._shared.is_draining(), responding=self._translator.responding
                )
                if error is not None:
                    await self._end(error, code=GOING_AWAY)

    def _cut_stalls(self) -> None:
        """Give up who takes nothing of what it is sent: as long as it does not, everything else waits."""
        if self._watch.client_stalls:
            raise ClientGoneError
        if self._watch.glm_stalls:
            self._socket.cut()

    # --- Within -------------------------------------------------------------------------------------

    @property
    def _socket(self) -> GlmSocket:
        assert self._glm is not None  # noqa: S101 - it is opened before anything is sent
        return self._glm

    async def _perform(self, effects: Iterable[Effect]) -> None:
        """Do what the translator wants, in its order. Who does not take what it is sent holds up everything."""
        for effect in effects:
            match effect:
                case ToClient(name, data):
                    self._call.events["to_client", name] += 1
                    await self._tell_client(name, data)
                case ToGlm(name, data):
                    self._call.events["to_glm", name] += 1
                    # A socket that is closed is noticed by whoever reads from it.
                    self._watch.glm_sent_from = self._desk.clock()
                    with suppress(UpstreamClosedError):
                        await self._socket.send(data)
                    self._watch.glm_sent_from = None
                case Close(code, reason):
                    raise EndedError(code, reason)
                case Errand(errand_id):
                    self._under_way[errand_id] = self._tasks.create_task(self._go(effect))
                case Forget(errand_id):
                    task = self._under_way.pop(errand_id, None)
                    if task is not None and task is not asyncio.current_task():
                        task.cancel()
        self._watch.remind(self._translator.due)
        if not self._translator.full:
            self._room.set()

    async def _go(self, errand: Errand) -> None:
        async with aclosing(self._errands.run(errand.what)) as comes:
            async for brought in comes:
                async with self._turn:
                    if errand.id not in self._under_way:
                        return
                    if isinstance(brought, Ended):
                        del self._under_way[errand.id]
                    await self._perform(self._translator.bring(errand.id, brought, now=self._desk.clock()))

    async def _tell_client(self, name: str, data: bytes) -> None:
        self._note(name)
        self._watch.client_sent_from = self._desk.clock()
        await self._client.send(data)
        self._watch.client_sent_from = None

    def _note(self, name: str) -> None:
        """Measure how long the user waits for an answer to begin to sound."""
        if name in {"input_audio_buffer.committed", "response.created"}:
            self._watch.answered_from = self._watch.answered_from or self._desk.clock()
        elif name.endswith("audio.delta") and self._watch.answered_from is not None:
            self._call.first_audio_seconds.append(self._desk.clock() - self._watch.answered_from)
            self._watch.answered_from = None
        elif name == "response.done":
            self._watch.answered_from = None

    async def _reconnect(self, closed: UpstreamClosedError) -> None:
        """Replace a connection to GLM that was lost, or end the session."""
        async with self._turn:
            lost = UpstreamUnavailable(f"The connection to GLM was lost (close code {closed.code}). Begin anew.")
            fault = self._note_fault(lost)
            note_loss(self._exchange.record, fault, ended_at=self._desk.clock())
            if not self._translator.resumable or self._call.reconnects >= self._shared.policy.max_reconnects:
                await self._end(lost, code=INTERNAL_ERROR)
            if self._slot is None:
                return
            self._call.reconnects += 1
            try:
                self._glm = await self._connect(self._slot, tries=self._desk.policy.max_retries + 1)
            except GatewayError as error:
                await self._end(error, code=INTERNAL_ERROR)
            await self._perform(self._translator.resume(now=self._desk.clock()))

    def _check_transcriber(self, name: str, *, caller: Caller) -> None:
        check_operation(self._exchange.terms.find_model(name, caller), needs="transcription")

    async def _connect(self, slot: Slot, *, tries: int) -> GlmSocket:
        """Open GLM's socket, again after a pause when it cannot be reached at all."""
        record, clock = self._exchange.record, self._desk.clock
        for number in range(tries):
            asked_at = clock()
            try:
                glm = await self._shared.upstream.connect(account=slot.account)
            except GatewayError as error:
                note_call(record, slot, asked_at=asked_at, ended_at=clock(), fault=self._note_fault(error))
                if number == tries - 1 or not isinstance(error, UpstreamUnreachable):
                    raise
            else:
                note_call(record, slot, asked_at=asked_at)
                return glm
            await asyncio.sleep(PAUSE_SECONDS * 2**number)
        raise AssertionError("unreachable")

    def _note_fault(self, error: GatewayError) -> UpstreamFault:
        fault = fault_of(error, http_status=0)
        self._exchange.record.faults.append(fault)
        return fault

    async def _end(self, error: GatewayError, *, code: int) -> None:
        if not isinstance(error, SessionExpired):
            self._error = error
        await self._perform(self._translator.end(error, code=code))

    def _note_end(self, by: ClosedBy, *, code: int) -> None:
        self._call.closed_by = by
        self._call.close_code = code


Wanted = TypeVar("Wanted", bound=Exception)


def first(group: BaseExceptionGroup[Any], kind: type[Wanted]) -> Wanted:
    """Return the first of its kind in a group of errors."""
    return next(one if isinstance(one, kind) else first(one, kind) for one in group.exceptions)
