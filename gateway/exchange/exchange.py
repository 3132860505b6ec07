"""One HTTP exchange, from a caller's bytes to an answer, and the record of how it went."""

import asyncio
import re
from collections.abc import Mapping, Sequence

from gateway.auth import Caller
from gateway.catalog import Model
from gateway.errors import (
    CapacityError,
    ClientError,
    GatewayError,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
)
from gateway.exchange.desk import Desk
from gateway.exchange.held import Held, Opening, fault_of
from gateway.exchange.streamed import Reads, StreamedAnswer
from gateway.glm.chat import Usage
from gateway.limits.limiter import Scope
from gateway.record import Outcome, Record
from gateway.translate.endpoint import Context, Endpoint, Incoming, Job

CLIENT_CLOSED_REQUEST = 499
INTERNAL_ERROR = 500
OK = 200
MAX_IGNORED_NAMES = 32
HEADER_SAFE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class Exchange:
    """
    One request and its answer.

    ``run`` is called once. Whoever calls it calls ``close`` when the last byte is out, or nothing will be written
    down; in between, ``fail`` or ``leave`` say if it ended badly.
    """

    def __init__(self, desk: Desk, *, operation: str, request_id: str, received_at: float) -> None:
        self.desk = desk
        self.record = Record(request_id=request_id, operation=operation, received_at=received_at, status=OK)
        self.headers: dict[str, str] = {}
        self._job: Job | None = None
        self._closed = False

    async def run(self, endpoint: Endpoint, body: bytes, *, caller: Caller) -> bytes | StreamedAnswer:
        """
        Return the whole answer, or one that streams and has begun.

        Raises GatewayError while an HTTP status can still tell it.
        """
        incoming = endpoint.read(body)
        self.record.stream = incoming.stream
        model = self._admit(incoming, caller)
        job = self._job = endpoint.begin(incoming, await self._context(incoming, model, caller))
        scope = self.desk.scope(caller, model)
        opening = Opening(
            self.desk,
            record=self.record,
            scope=scope,
            path=endpoint.path,
            patience_seconds=caller.queue_timeout_seconds or self.desk.policy.queue_timeout_seconds,
        )
        if incoming.stream:
            reads = Reads(job, opening, record=self.record, clock=self.desk.clock)
            answer = StreamedAnswer(job, reads, record=self.record, clock=self.desk.clock)
            await answer.start()
            self.headers = self._headers(job, scope)
            return answer
        await self._ask_all(job, opening)
        await self._keep(job)
        self.headers = self._headers(job, scope)
        return job.result()

    async def settle(self, answer: StreamedAnswer) -> None:
        """Give back what a streamed answer holds, and write down how it ended."""
        await answer.aclose()
        if answer.failure is not None:
            self.fail(answer.failure)
        await self._keep(answer.job)

    def identify(self, caller: Caller) -> None:
        """Write down who calls."""
        self.record.tenant, self.record.tier = caller.name, caller.tier

    def fail(self, error: BaseException) -> None:
        """Write down that the exchange failed, and by whose fault."""
        record = self.record
        record.outcome = outcome_of(error)
        record.status = error.status if isinstance(error, GatewayError) else INTERNAL_ERROR
        if isinstance(error, GatewayError):
            record.error_code = error.code or error.type
            record.glm_code = error.glm_code or ""

    def leave(self) -> None:
        """Write down that the caller left before the answer was out."""
        self.record.outcome = "client_disconnect"
        self.record.status = CLIENT_CLOSED_REQUEST

    def close(self) -> None:
        """Hand the record to the sinks, once."""
        if self._closed:
            return
        self._closed = True
        self.record.ended_at = self.desk.clock()
        if self._job is not None and (usage := self._job.usage) is not None:
            self._count(usage)
        for sink in self.desk.sinks:
            sink(self.record)

    def _admit(self, incoming: Incoming, caller: Caller) -> Model:
        """Return the model asked for; raise when there is none, or not for this caller and operation."""
        record = self.record
        model = self.desk.catalog.resolve(incoming.model)
        record.model = model.id
        if caller.models is not None and model.id not in caller.models:
            raise PermissionDenied(f"Your key may not use {model.id}.", param="model", code="model_not_allowed")
        if record.operation not in model.operations:
            raise InvalidRequest(
                f"{model.id} does not do {record.operation}; it does {', '.join(model.operations)}.",
                param="model",
                code="unsupported_model",
            )
        return model

    async def _keep(self, job: Job) -> None:
        """Keep what later requests may ask to recall."""
        if left := job.leave:
            await self.desk.recall.remember(self.record.tenant, left)

    async def _context(self, incoming: Incoming, model: Model, caller: Caller) -> Context:
        recalled: Mapping[str, str] = {}
        if incoming.recall:
            recalled = await self.desk.recall.recall(caller.name, incoming.recall)
        return Context(
            model=model,
            id=self.desk.new_id(),
            created=int(self.desk.now()),
            strict=caller.strict,
            reasoning_effort=caller.reasoning_effort,
            recalled=recalled,
        )

    async def _ask_all(self, job: Job, opening: Opening) -> None:
        if len(job.calls) == 1:
            await self._ask(job, 0, opening)
            return
        try:
            async with asyncio.TaskGroup() as calls:
                for index in range(len(job.calls)):
                    calls.create_task(self._ask(job, index, opening))
        except* GatewayError as failed:
            raise first_error(failed) from None

    async def _ask(self, job: Job, index: int, opening: Opening) -> None:
        body: bytes | None = job.calls[index]
        while body is not None:
            held = await opening.open(body)
            try:
                body = job.receive(index, await self._read(held))
            except (UpstreamError, CapacityError) as error:
                self.record.faults.append(fault_of(error, http_status=OK))
                raise

    async def _read(self, held: Held) -> bytes:
        started = self.desk.clock()
        try:
            return await held.reply.read()
        finally:
            self.record.upstream_seconds += self.desk.clock() - started
            await held.aclose()

    def _headers(self, job: Job, scope: Scope) -> dict[str, str]:
        headers = {
            "openai-processing-ms": str(round((self.desk.clock() - self.record.received_at) * 1000)),
            "x-ratelimit-limit-requests": str(scope.limit),
            "x-ratelimit-remaining-requests": str(self.desk.limiter.remaining(scope)),
        }
        if job.ignored:
            headers["x-gateway-ignored"] = ", ".join(printable(job.ignored))
        return headers

    def _count(self, usage: Usage) -> None:
        record = self.record
        record.usage_known = True
        record.input_tokens = usage.prompt_tokens
        record.output_tokens = usage.completion_tokens
        if usage.prompt_tokens_details is not None:
            record.cached_tokens = usage.prompt_tokens_details.cached_tokens or 0
        if usage.completion_tokens_details is not None:
            record.reasoning_tokens = usage.completion_tokens_details.reasoning_tokens or 0


def outcome_of(error: BaseException) -> Outcome:
    match error:
        case RateLimited():
            return "rejected"
        case UpstreamTimeout():
            return "upstream_timeout"
        case UpstreamError() | CapacityError():
            return "upstream_error"
        case ClientError():
            return "client_error"
        case _:
            return "gateway_error"


def first_error(group: BaseExceptionGroup[GatewayError]) -> GatewayError:
    """Return the error that came first; the others follow from it or would say the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, GatewayError)  # noqa: S101 - the group holds nothing else
    return error


def printable(names: Sequence[str]) -> list[str]:
    """Return the names that may stand in a header; the caller chose them."""
    return [name for name in names if HEADER_SAFE.fullmatch(name)][:MAX_IGNORED_NAMES]
