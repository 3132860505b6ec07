"""
The stand-in as an ASGI application: from a request to the room that answers it.

A request is authenticated, counted against its account's tier, checked, answered, and sent; faults change
what is sent. Its slot is held until the last byte is out or the client has left.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.simulator import control
from gateway.simulator.accounts import DEMO_ACCOUNTS, Account, authenticate
from gateway.simulator.book import Book, Limits, Watch
from gateway.simulator.connection import (
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    Step,
    Wait,
    deliver,
    read_request,
    unless_client_leaves,
)
from gateway.simulator.endpoints import BASE_PATH, ENDPOINTS, Endpoint
from gateway.simulator.faults import Error, Fault, Script
from gateway.simulator.platform import Ask, Fences, Latency, Platform, Sound, Wire
from gateway.simulator.realtime import route as realtime
from gateway.simulator.realtime.habits import Habits
from gateway.simulator.realtime.models import REALTIME_MODELS
from gateway.simulator.refusals import Refusal
from gateway.simulator.spoken import Spoken
from gateway.simulator.weaving import weave

REALTIME_PATH = f"{BASE_PATH}/realtime"

_SLOW_AT_ONCE = 32


class Simulator:
    """
    Zhipu's platform as an ASGI application.

    ``book`` holds its counters, ``script`` its faults; both also answer under ``/_simulator``.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.book = platform.book
        self.script = platform.script
        self._slow = ThreadPoolExecutor(_SLOW_AT_ONCE, thread_name_prefix="zhipu-simulator-speech")

    def reset(self) -> None:
        """Forget everything but what is under way."""
        self._platform.reset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request unless its client leaves, or hold one call."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive)
            if request is not None:
                await unless_client_leaves(self._serve(request, send), receive)
        else:
            await realtime.serve(
                scope, receive, send, platform=self._platform, path=REALTIME_PATH, slow=self._slow
            )

    async def _serve(self, request: Request, send: Send) -> None:
        if request.path.startswith(control.PATH):
            await deliver(control.answer(request, self._platform), send)
            return
        self.book.see(request)
        endpoint = ENDPOINTS.get(request.path, {}).get(request.method)
        if endpoint is None:
            await deliver(_nowhere(request, now=self._platform.clock()), send)
            return
        try:
            account = self._admit(request)
            ask = self._ask(request, account, endpoint)
            with self._slot(ask, endpoint):
                await deliver(await self._reply(ask, endpoint), send)
        except Refusal as refusal:
            await deliver(self._refused(refusal, request), send)

    def _admit(self, request: Request) -> Account:
        authorization = request.headers.get("authorization")
        account = authenticate(authorization, accounts=self._platform.accounts, now=self._platform.clock())
        if account.refusal is not None:
            raise Refusal(account.refusal)
        return account

    def _ask(self, request: Request, account: Account, endpoint: Endpoint) -> Ask:
        fields = endpoint.read(request) if endpoint.models else {}
        model = fields.get("model")
        if endpoint.models:
            endpoint.check_model(model, account)
        return Ask(
            platform=self._platform,
            request=request,
            account=account,
            fields=fields,
            request_id=self._request_id(fields, account),
        )

    def _request_id(self, fields: dict[str, Any], account: Account) -> str:
        given = fields.get("request_id")
        if not isinstance(given, str):
            return self._platform.new_request_id()
        if self.book.has_used(account, given):
            raise Refusal("1231", given)
        return given

    def _slot(self, ask: Ask, endpoint: Endpoint) -> AbstractContextManager[None]:
        if not (endpoint.models and endpoint.counted):
            return nullcontext()
        user_id = ask.fields.get("user_id")
        return self.book.slot(
            ask.account, model=ask.fields["model"], user_id=user_id if isinstance(user_id, str) else ""
        )

    async def _reply(self, ask: Ask, endpoint: Endpoint) -> Reply:
        faults = self.script.take(ask.request, account=ask.account.name, model=ask.fields.get("model"))
        try:
            _raise_errors(faults)
            reply = await self._answer(ask, endpoint)
            if ask.request_id == ask.fields.get("request_id"):
                self.book.use(ask.account, ask.request_id)
        except Refusal as refusal:
            reply = self._refused(refusal, ask.request, request_id=ask.request_id)
        reply = weave(reply, faults, word_error=partial(self._word_error, request=ask.request))
        return _paced(reply, self._platform.latency)

    async def _answer(self, ask: Ask, endpoint: Endpoint) -> Reply:
        if ask.fields.get("model") not in endpoint.slow:
            return endpoint.answer(ask)
        return await asyncio.get_running_loop().run_in_executor(self._slow, endpoint.answer, ask)

    def _refused(self, refusal: Refusal, request: Request, *, request_id: str | None = None) -> Reply:
        body = refusal.body(request.language, now=self._platform.clock(), request_id=request_id)
        return Reply.whole(msgspec.json.encode(body), status=refusal.code.http_status)

    def _word_error(self, code: str, *, request: Request) -> bytes:
        return msgspec.json.encode(Refusal(code).body(request.language, now=self._platform.clock()))


def create_simulator(
    *,
    accounts: Sequence[Account] = DEMO_ACCOUNTS,
    limits: Limits | None = None,
    faults: Iterable[Fault] = (),
    latency: Latency | None = None,
    wire: Wire = "2026",
    fences: Fences = "sometimes",
    sound: Sound = "wav",
    audio_seconds: float = 3600.0,
    habits: Habits | None = None,
    clock: Callable[[], float] = time.time,
    ids: Callable[[int], str] | None = None,
    watch: Watch | None = None,
) -> Simulator:
    """
    Make a stand-in for Zhipu's platform.

    ``limits`` are requests in flight by model for V0 to V3, in place of the built-in ones; ``watch`` is told of
    every request that enters or leaves. The rest is as in Platform.
    """
    endpoints = (endpoint for by_method in ENDPOINTS.values() for endpoint in by_method.values())
    known = {model.id: model.in_flight for endpoint in endpoints for model in endpoint.models.values()}
    known |= {model.id: model.in_flight for model in REALTIME_MODELS.values()}
    platform = Platform(
        accounts=accounts,
        book=Book({**known, **(limits or {})}, watch=watch),
        script=Script(faults),
        clock=clock,
        ids=ids or _random_hex,
        wire=wire,
        fences=fences,
        sound=sound,
        audio_seconds=audio_seconds,
        spoken=Spoken(),
        latency=latency or Latency(),
        habits=habits or Habits(),
    )
    return Simulator(platform)


def _raise_errors(faults: Iterable[Fault]) -> None:
    for fault in faults:
        if isinstance(fault, Error):
            raise Refusal(fault.code, *fault.subjects)


def _paced(reply: Reply, latency: Latency) -> Reply:
    if not latency.first_byte_seconds and not latency.chunk_seconds:
        return reply
    steps: list[Step] = [Wait(latency.first_byte_seconds), *reply.steps[:1]]
    for step in reply.steps[1:]:
        steps += [Wait(latency.chunk_seconds), step]
    return replace(reply, steps=steps)


def _nowhere(request: Request, *, now: float) -> Reply:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime(now))
    status = HTTPStatus.METHOD_NOT_ALLOWED if request.path in ENDPOINTS else HTTPStatus.NOT_FOUND
    path = request.path.removeprefix("/api/paas")
    body = {"timestamp": moment, "status": status, "error": status.phrase, "path": path}
    return Reply.whole(msgspec.json.encode(body), status=status, content_type="application/json")


def _random_hex(digits: int) -> str:
    return secrets.token_hex((digits + 1) // 2)[:digits]


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
