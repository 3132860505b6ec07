"""How a session begins: a slot, GLM's socket, on another account where one refuses, and what holds first."""

import asyncio

from msgspec.structs import replace

from gateway.auth import Caller
from gateway.catalog import Model, RealtimeTraits
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.exchange.accounts import note_failure, take_slot
from gateway.exchange.dispatcher import fault_of
from gateway.exchange.exchange import check_operation
from gateway.exchange.tries import Tries
from gateway.limits.limiter import Scope, Slot, serves
from gateway.openai.realtime.session import Kind
from gateway.record import Record, UpstreamCall, UpstreamFault
from gateway.session.desk import SessionDesk
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.shapes import Shape
from gateway.translate.realtime.talk import Talk
from gateway.upstream.realtime import status_of
from gateway.upstream.socket import GlmSocket

SWITCHING_PROTOCOLS = 101


async def enter(
    session_desk: SessionDesk, exchange: Exchange, scope: Scope, *, patience_seconds: float
) -> tuple[Slot, GlmSocket]:
    """
    Return a slot, and an open socket of the account that it is of.

    ``patience_seconds`` bounds the wait for the slot, and for the last try to begin. Raises RateLimited when no
    slot becomes free, and GLM's errors; then nothing is held.
    """
    desk, record, waits = session_desk.desk, exchange.record, exchange.waits
    deadline = desk.clock() + patience_seconds
    tries = Tries(desk)
    while True:
        record.phase = "queued"
        with waits.queue:
            slot = await take_slot(desk, scope, record=record, timeout_seconds=deadline - desk.clock())
        record.phase = "before_first_byte"
        asked_at = desk.clock()
        try:
            with waits.upstream:
                glm = await session_desk.upstream.connect(account=slot.account)
        except GatewayError as error:
            fault = fault_of(error, http_status=status_of(error))
            record.faults.append(fault)
            note_call(record, slot, asked_at=asked_at, ended_at=desk.clock(), fault=fault)
            # Before the slot is given back: who is next in line must not try what has just refused.
            verdict = note_failure(desk, slot, error, fault, asked_at=asked_at)
            desk.limiter.release(slot)
            pause_seconds = tries.pause_seconds(error, fault, verdict, others=serves(scope))
            if pause_seconds is None or (pause_seconds and desk.clock() + pause_seconds > deadline):
                raise
        except BaseException:
            desk.health.end_trial(slot.account, slot.scope.model, asked_at=asked_at)
            desk.limiter.release(slot)
            raise
        else:
            record.response_start_seconds = desk.clock() - asked_at
            note_call(record, slot, asked_at=asked_at)
            desk.health.succeed(slot.account, slot.scope.model, asked_at=asked_at)
            return slot, glm
        record.retries += 1
        with waits.upstream:
            await asyncio.sleep(pause_seconds)


def talk_of(
    session_desk: SessionDesk,
    exchange: Exchange,
    model: Model,
    *,
    kind: Kind,
    caller: Caller,
    asked_model: str,
    shape: Shape,
) -> Talk:
    """Return a conversation of which nothing has been said."""
    desk, policy = session_desk.desk, session_desk.policy
    traits = model.realtime or RealtimeTraits()
    first = Config.first(model=model.id, asked_model=asked_model, voices=traits.voices, voice=traits.default_voice)

    def check_transcriber(name: str) -> None:
        check_operation(exchange.terms.find_model(name, caller), needs="transcription")

    return Talk(
        config=replace(first, kind=kind),
        policy=policy.translation,
        shape=shape,
        sound=session_desk.sound,
        new_id=desk.new_id,
        session_id=f"sess_{desk.new_id()}",
        conversation_id=f"conv_{desk.new_id()}",
        expires_at=int(desk.now() + policy.max_seconds),
        strict=caller.strict,
        check_transcriber=check_transcriber,
    )


def note_call(
    record: Record, slot: Slot, *, asked_at: float, ended_at: float = 0.0, fault: UpstreamFault | None = None
) -> None:
    """Write down a connection to GLM for the trace; ``ended_at`` 0.0: it lasts until it is lost or the end."""
    if record.span is None:
        return
    status = fault.http_status if fault is not None else SWITCHING_PROTOCOLS
    record.span.calls.append(
        UpstreamCall(
            model=slot.scope.model,
            account=slot.account,
            asked_at=asked_at,
            ended_at=ended_at,
            http_status=status,
            fault=fault,
        )
    )


def note_loss(record: Record, fault: UpstreamFault, *, ended_at: float) -> None:
    """Write down for the trace that the last connection to GLM was lost."""
    if record.span is not None and record.span.calls:
        lost = record.span.calls[-1]
        lost.ended_at, lost.fault = ended_at, fault
