"""One HTTP exchange, from a caller's bytes to an answer, and the record of how it went."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

from gateway.auth import Caller
from gateway.catalog import Model, Operation
from gateway.errors import GatewayError, InvalidRequest
from gateway.exchange.desk import Desk
from gateway.exchange.dispatcher import Dispatcher
from gateway.exchange.streamed import StreamedAnswer
from gateway.exchange.waits import Waits
from gateway.exchange.whole import ask_all
from gateway.glm.chat import Usage
from gateway.limits.limiter import Scope
from gateway.record import NO_OPERATION, Record, Span
from gateway.trace_context import TraceParent
from gateway.translate.endpoint import (
    JSON,
    Body,
    Context,
    Endpoint,
    Job,
    Recalled,
    StreamedJob,
    WholeJob,
)

CLIENT_CLOSED_REQUEST = 499
MAX_IGNORED_NAMES = 32
SPAN_ID_DIGITS = 16

NOTHING: Mapping[str, str] = MappingProxyType({})
"""What is recalled by who asks for nothing."""

HEADER_SAFE = re.compile(r"[A-Za-z0-9_.\[\]\-]{1,128}")


class Exchange:
    """
    One request and its answer.

    ``run`` is called at most once, and whoever calls it calls ``aclose`` when nothing more is wanted of GLM.
    ``close`` is called by whoever made it, when the last byte is out. In between, ``fail`` and ``leave`` say if it
    ended badly. ``parent`` is what its caller says of its trace, ``media_type`` that of a whole answer.
    """

    def __init__(self, desk: Desk, *, request_id: str, parent: TraceParent | None = None) -> None:
        self.desk = desk
        self.terms = desk.terms
        self.record = Record(request_id=request_id, received_at=desk.clock(), parent=parent)
        if desk.traces:
            self.record.span = begin_span(parent, new_id=desk.new_id)
        self.waits = Waits(desk.clock)
        self._memory = ""
        self._scope: Scope | None = None
        self._job: Job | None = None
        self.media_type = JSON
        self._dispatcher: Dispatcher | None = None
        self._answer: StreamedAnswer | None = None

    async def run(self, endpoint: Endpoint[Body], body: Body, *, caller: Caller) -> bytes | StreamedAnswer:
        """
        Return the whole answer, or one that streams and has begun.

        Raises GatewayError while an HTTP status can still tell it.
        """
        incoming = endpoint.read(body)
        self.record.stream = incoming.stream
        self._memory = endpoint.memory or endpoint.needs
        model = self.find(incoming.model, needs=endpoint.needs, caller=caller)
        self._scope = self.terms.scope(caller, model)
        keys = incoming.recall(model)
        recalled = await self._recall(keys, caller, must=incoming.builds_on_it) if keys else NOTHING
        context = self._context(model, caller, recalled)
        if incoming.heavy:
            job = await asyncio.to_thread(endpoint.begin, incoming, context)
        else:
            job = endpoint.begin(incoming, context)
        self._job = job
        terms = self.terms  # A dispatcher that knew the exchange would keep it until garbage is collected.
        dispatcher = self._dispatcher = Dispatcher(
            self.desk,
            record=self.record,
            waits=self.waits,
            scope=lambda other: terms.scope(caller, other or model),
            path=endpoint.path,
            patience_seconds=self.desk.patience_seconds(caller),
        )
        # What an endpoint makes of a request follows from whether it read that it is to stream.
        if incoming.stream:
            streamed = cast("StreamedJob", job)
            answer = self._answer = StreamedAnswer(streamed, dispatcher, record=self.record, clock=self.desk.clock)
            self.desk.streams[self.record.operation, model.id] += 1
            await answer.start()
            return answer
        whole = cast("WholeJob", job)
        self.media_type = whole.media_type
        await ask_all(whole, dispatcher)
        return await asyncio.to_thread(whole.result) if incoming.heavy else whole.result()

    async def aclose(self) -> bool:
        """
        Give back what is still held, and keep what later requests may ask to recall.

        Returns whether that is kept. May be called again.
        """
        if (answer := self._answer) is not None:
            self._answer = None
            self.desk.streams[self.record.operation, self.record.model] -= 1
            await answer.aclose()
            if answer.failure is not None:
                self.fail(answer.failure)
        left = self._job.leave if self._job is not None else {}
        return not left or await self.desk.memories[self._memory].remember(self.record.tenant, left)

    def claim(self, caller: Caller, model: Model) -> Scope:
        """Return what the slot of whoever does not ``run`` is counted per, and tell it in the headers."""
        self._scope = self.terms.scope(caller, model)
        return self._scope

    def identify(self, caller: Caller) -> None:
        """Write down who calls."""
        self.record.tenant, self.record.tier = caller.name, caller.tier

    def fail(self, error: BaseException) -> None:
        """Write down that the exchange failed, and by whose fault, unless its caller had left before."""
        record = self.record
        if record.outcome == "client_disconnect":
            return
        kind = error if isinstance(error, GatewayError) else GatewayError
        record.outcome, record.status = kind.outcome, record.status or kind.status
        if isinstance(error, GatewayError):
            record.error_code = error.code or error.type
            record.glm_code = error.glm_code or ""

    def leave(self) -> float:
        """
        Write down that the caller left, unless it was because the exchange had failed.

        Returns for how many seconds GLM may go on, to learn what it counts.
        """
        record = self.record
        if record.outcome == "ok":
            record.outcome = "client_disconnect"
        record.status = record.status or CLIENT_CLOSED_REQUEST
        if self._dispatcher is None or not self._dispatcher.under_way:
            return 0.0
        self._dispatcher.dismiss()
        return self.desk.policy.disconnect_grace_seconds

    def close(self) -> None:
        """Hand the record to the sinks, unless there is nothing to tell, as of a probe."""
        record, waits = self.record, self.waits
        if record.operation == NO_OPERATION and record.outcome == "ok":
            return
        record.ended_at = self.desk.clock()
        record.read_seconds, record.write_seconds = waits.reading.seconds, waits.writing.seconds
        record.queued_seconds, record.upstream_seconds = waits.queue.seconds, waits.upstream.seconds
        if self._job is not None and (usage := self._job.usage) is not None:
            self._count(usage)
        if self._job is not None and (recalled := self._job.recalled) is not None:
            record.cache_hits, record.cache_misses = recalled.hits, recalled.misses
        for sink in self.desk.sinks:
            sink(record)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return what the head of an answer, or of an error, says about the exchange; pairs as in ASGI."""
        processed_ms = round((self.desk.clock() - self.record.received_at) * 1000)
        headers = [(b"openai-processing-ms", b"%d" % processed_ms)]
        if self._scope is not None:
            remaining = self.desk.limiter.remaining(self._scope)
            headers.append((b"x-ratelimit-limit-requests", b"%d" % self._scope.limit))
            headers.append((b"x-ratelimit-remaining-requests", b"%d" % remaining))
        if self._job is not None and self._job.ignored and (ignored := printable(self._job.ignored)):
            headers.append((b"x-gateway-ignored", ", ".join(ignored).encode()))
        if self._job is not None and self._job.recalled is not None:
            headers.append((b"x-gateway-cache", cache_status(self._job.recalled)))
        return headers

    def find(self, name: str, *, needs: Operation, caller: Caller) -> Model:
        """Return the model asked for; raise when there is none, or not for this caller and operation."""
        model = self.terms.find_model(name, caller)
        self.record.model = model.id
        check_operation(model, needs=needs)
        return model

    def _recall(self, keys: Sequence[str], caller: Caller, *, must: bool) -> Awaitable[Mapping[str, str]]:
        memory = self.desk.memories[self._memory]
        return (memory.require if must else memory.recall)(caller.name, keys)

    def _context(self, model: Model, caller: Caller, recalled: Mapping[str, str]) -> Context:
        return Context(
            model=model,
            id=self.desk.new_id(),
            created=int(self.desk.now()),
            tenant=caller.name,
            strict=caller.strict,
            reasoning_effort=caller.reasoning_effort,
            recalled=recalled,
        )

    def _count(self, usage: Usage) -> None:
        record = self.record
        record.usage_known = True
        record.input_tokens = usage.prompt_tokens
        record.output_tokens = usage.completion_tokens
        if usage.prompt_tokens_details is not None:
            record.cached_tokens = usage.prompt_tokens_details.cached_tokens or 0
        if usage.completion_tokens_details is not None:
            record.reasoning_tokens = usage.completion_tokens_details.reasoning_tokens or 0


def begin_span(parent: TraceParent | None, *, new_id: Callable[[], str]) -> Span:
    return Span(trace_id=parent.trace_id if parent is not None else new_id(), span_id=new_id()[:SPAN_ID_DIGITS])


def check_operation(model: Model, *, needs: Operation) -> None:
    """Raise InvalidRequest for a model that does something else."""
    if needs not in model.operations:
        raise InvalidRequest(
            f"{model.id} does not do {needs}; it does {', '.join(model.operations)}.",
            param="model",
            code="unsupported_model",
        )


def cache_status(recalled: Recalled) -> bytes:
    if not recalled.misses:
        return b"hit"
    return b"partial" if recalled.hits else b"miss"


def printable(names: Sequence[str]) -> list[str]:
    """Return the names that may stand in a header; the caller chose them."""
    return [name for name in names if HEADER_SAFE.fullmatch(name)][:MAX_IGNORED_NAMES]
