"""What a job may ask of an exchange: calls made as they go, in order, elsewhere, and of another model."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

import msgspec
import pytest

from gateway.auth import Caller
from gateway.catalog import Tier
from gateway.errors import GatewayError, InvalidRequest, QuotaExhausted, RateLimited, UpstreamUnavailable
from gateway.exchange import Exchange, StreamedAnswer
from gateway.glm.chat import Usage
from gateway.settings.schema import Chat
from gateway.translate.endpoint import Call, Context, Endpoint, Incoming, Recalled
from tests.conftest import MakeGateway
from tests.fakes import Zhipu
from tests.running import SETTINGS, Gateway

TEAM = Caller(name="team", tier="V3")


class Saying:
    """A stream whose events are the caller's as they are."""

    slow: ClassVar[bool] = False
    failure: GatewayError | None = None

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        return b"".join(payloads).removesuffix(b"[DONE]")

    def finish(self) -> bytes:
        return b""


class Slowly(Saying):
    """One that knows which threads it was fed in."""

    slow: ClassVar[bool] = True

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        self.threads.add(threading.get_ident())
        return super().feed(payloads)


class Pieces:
    """A job of generated calls; ``result`` joins what they said. It knows how far it was asked."""

    media_type = b"text/plain"
    stream_type = b"audio/pcm"
    in_order = True
    recalled: Recalled | None = None
    usage: Usage | None = None
    ignored: Sequence[str] = ()
    leave: Mapping[str, str] = {}

    def __init__(self, *calls: Call, at_once: int | None = None) -> None:
        self.at_once = at_once
        self.made = 0
        self.closed = False
        self.said: dict[int, bytes] = {}
        self._calls = calls
        self.calls = self._make()

    async def _make(self) -> AsyncGenerator[Call, None]:
        try:
            for call in self._calls:
                self.made += 1
                yield call
        finally:
            self.closed = True

    def receive(self, index: int, body: bytes) -> Call | None:
        self.said[index] = body
        return None

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        del index
        return error

    def result(self) -> bytes:
        return b" ".join(self.said[index] for index in sorted(self.said))

    def stream(self, index: int) -> Saying:
        del index
        return Saying()

    def close(self) -> bytes:
        return b"."

    def fail(self, error: GatewayError) -> None:
        del error


def endpoint_of(job: Pieces, *, stream: bool = False, heavy: bool = False) -> Endpoint[bytes]:
    def read(body: bytes) -> Incoming:
        return Incoming(request=body, present=(), model="glm-4.7", stream=stream, heavy=heavy)

    def begin(incoming: Incoming, context: Context) -> Pieces:
        del incoming, context
        return job

    return Endpoint(operation="pieces", needs="chat", path="/pieces", read=read, begin=begin)


def run(
    gateway: Gateway, job: Pieces, *, caller: Caller = TEAM, **how: Any
) -> asyncio.Task[bytes | StreamedAnswer]:
    exchange = Exchange(gateway.desk, request_id="r")
    return asyncio.get_running_loop().create_task(exchange.run(endpoint_of(job, **how), b"", caller=caller))


def call(number: int, **fields: Any) -> Call:
    return Call(msgspec.json.encode({"number": number}), **fields)


async def test_generated_calls_are_asked_for_only_when_one_may_begin(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """What a job makes as it goes is never all there at once."""
    gateway = make_gateway(upstream_url=zhipu.url)
    job = Pieces(*map(call, range(5)), at_once=2)
    task = run(gateway, job, heavy=True)
    first, second = await zhipu.call(), await zhipu.call()
    assert (2, 2) == (job.made, gateway.slots)

    second.answer(b"1", content_type="text/plain")
    third = await zhipu.call()
    assert 3 == job.made
    third.answer(b"2", content_type="text/plain")
    (await zhipu.call()).answer(b"3", content_type="text/plain")
    (await zhipu.call()).answer(b"4", content_type="text/plain")
    first.answer(b"0", content_type="text/plain")

    assert b"0 1 2 3 4" == await task
    assert (0, True) == (gateway.slots, job.closed)


@pytest.mark.parametrize(("tier", "account_tier"), [("V1", "V3"), ("V3", "V1")])
async def test_calls_are_as_many_as_the_tenant_and_the_account_may_have(
    make_gateway: MakeGateway, zhipu: Zhipu, tier: Tier, account_tier: Tier
) -> None:
    """More would stand in line behind each other, and give up in the end."""
    (account,) = SETTINGS.accounts
    gateway = make_gateway(
        upstream_url=zhipu.url,
        limits={"glm-4.7": {"V0": 2, "V1": 2, "V2": 4, "V3": 4}},
        accounts=(msgspec.structs.replace(account, tier=account_tier),),
    )
    job = Pieces(*map(call, range(5)))
    task = run(gateway, job, caller=Caller(name="team", tier=tier))

    for _ in range(2):
        await zhipu.call()

    assert (2, 2, 0) == (job.made, gateway.slots, gateway.waiting)
    task.cancel()
    await asyncio.wait([task])
    assert 0 == gateway.slots


async def test_several_calls_try_an_account_when_none_is_in_order(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """One after the other: the first finds out whether it is."""
    gateway = make_gateway(upstream_url=zhipu.url)
    poor = QuotaExhausted("No balance.", glm_code="1113")
    gateway.desk.health.refuse("main", "glm-4.7", error=poor, asked_at=gateway.desk.clock())
    task = run(gateway, Pieces(*map(call, range(2))))

    async with asyncio.timeout(5):
        for _ in range(2):
            (await zhipu.call()).answer(b"said", content_type="text/plain")
        assert b"said said" == await task


async def test_no_more_calls_are_made_when_one_fails(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    job = Pieces(*map(call, range(5)), at_once=2)
    task = run(gateway, job)
    await zhipu.call()

    (await zhipu.call()).refuse("1301", status=400)

    (failed,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(failed, GatewayError)
    assert "1301" == failed.glm_code
    assert (2, 0, True) == (job.made, gateway.slots, job.closed)


async def test_no_more_calls_are_made_for_a_caller_that_left(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """What is under way may end, where it is drained; what has no slot yet is not begun."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(on_disconnect="drain"))
    job = Pieces(*map(call, range(4)), at_once=2)
    exchange = Exchange(gateway.desk, request_id="r")
    task = asyncio.get_running_loop().create_task(exchange.run(endpoint_of(job), b"", caller=TEAM))
    first, second = await zhipu.call(), await zhipu.call()

    exchange.leave()
    second.answer(b"1", content_type="text/plain")
    while gateway.slots > 1:  # noqa: ASYNC110 - the limiter tells nobody
        await asyncio.sleep(0.001)
    first.answer(b"0", content_type="text/plain")
    (failed,) = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(failed, RateLimited)
    assert ({0: b"0", 1: b"1"}, 2, 0) == (job.said, len(zhipu.calls), gateway.slots)


async def test_calls_of_a_caller_that_left_wait_for_no_slot(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """They leave the line at once, and cut nothing off that is drained."""
    gateway = make_gateway(upstream_url=zhipu.url, chat=Chat(on_disconnect="drain"))
    limiter, terms = gateway.desk.limiter, gateway.desk.terms
    scope = terms.scope(TEAM, terms.catalog.resolve("glm-4.7"))
    others = [limiter.take(scope) for _ in range(scope.limit - 1)]
    job = Pieces(*map(call, range(2)))
    exchange = Exchange(gateway.desk, request_id="r")
    task = asyncio.get_running_loop().create_task(exchange.run(endpoint_of(job), b"", caller=TEAM))
    first = await zhipu.call()
    assert (1, "before_first_byte") == (gateway.waiting, exchange.record.phase)

    exchange.leave()
    await asyncio.sleep(0)
    assert 0 == gateway.waiting
    first.answer(b"0", content_type="text/plain")
    (failed,) = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(failed, RateLimited)
    assert ({0: b"0"}, len(others)) == (job.said, gateway.slots)


async def test_events_stay_in_order_when_calls_overtake(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """The second call is under way while the first speaks, and waits with what it has to say."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = run(gateway, Pieces(*map(call, range(2))), stream=True)
    first, second = await zhipu.call(), await zhipu.call()
    second.stream(b"data: c\n\n", b"data: [DONE]\n\n")
    first.begin(b"data: a\n\n")

    answer = await task
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        told = [await anext(answer)]
        first.end(b"data: b\n\n", b"data: [DONE]\n\n")
        told += [events async for events in answer]

    assert b"abc." == b"".join(told)
    assert (b"audio/pcm", 0) == (answer.media_type, gateway.slots)


async def test_call_that_needs_another_slot_gets_that_of_one_which_may_not_speak_before_it(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Of what GLM finds too much at once, the rest must not wait for each other until patience ends."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = run(gateway, Pieces(*map(call, range(2))), stream=True)
    first, second = await zhipu.call(), await zhipu.call()
    second.begin(b"data: b\n\n")
    first.refuse("1302", status=429)
    second.end(b"data: c\n\n", b"data: [DONE]\n\n")

    async with asyncio.timeout(5):
        (await zhipu.call()).stream(b"data: a\n\n", b"data: [DONE]\n\n")
        answer = await task
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        told = [events async for events in answer]

    assert (b"abc.", None, 0) == (b"".join(told), answer.failure, gateway.slots)


async def test_what_a_call_said_before_it_failed_is_told_in_its_turn(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Though the failure came before anything else had been said."""
    fed = asyncio.Event()

    class Heard(Saying):
        def feed(self, payloads: Sequence[bytes]) -> bytes:
            fed.set()
            return super().feed(payloads)

    class Listened(Pieces):
        def stream(self, index: int) -> Heard:
            del index
            return Heard()

    gateway = make_gateway(upstream_url=zhipu.url)
    task = run(gateway, Listened(*map(call, range(2))), stream=True)
    first, second = await zhipu.call(), await zhipu.call()
    second.begin(b"data: b\n\n")
    await fed.wait()
    second.cut()
    while gateway.slots > 1:  # noqa: ASYNC110 - the limiter tells nobody
        await asyncio.sleep(0.001)
    first.stream(b"data: a\n\n", b"data: [DONE]\n\n")

    answer = await task
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        assert b"ab" == b"".join([events async for events in answer])
    assert isinstance(answer.failure, UpstreamUnavailable)


async def test_no_more_is_read_ahead_than_calls_are_made_at_once(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """A call that has ended and may not speak yet keeps its turn, though not its slot."""
    gateway = make_gateway(upstream_url=zhipu.url)
    job = Pieces(*map(call, range(3)), at_once=2)
    task = run(gateway, job, stream=True)
    first, second = await zhipu.call(), await zhipu.call()

    second.stream(b"data: b\n\n", b"data: [DONE]\n\n")
    async with asyncio.timeout(5):
        while gateway.slots > 1:  # noqa: ASYNC110 - the limiter tells nobody
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert 2 == job.made

    first.stream(b"data: a\n\n", b"data: [DONE]\n\n")
    (await zhipu.call()).stream(b"data: c\n\n", b"data: [DONE]\n\n")
    answer = await task
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        assert b"abc." == b"".join([events async for events in answer])


async def test_call_that_may_not_speak_yet_is_held_back(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """What comes later in order is not gathered here while what comes first goes on."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = run(gateway, Pieces(*map(call, range(2))), stream=True)
    first, second = await zhipu.call(), await zhipu.call()
    first.begin(b"data: a\n\n")
    answer = await task
    assert isinstance(answer, StreamedAnswer)
    second.begin()

    more = b"data: " + b"b" * 65_536 + b"\n\n"
    async with asyncio.timeout(5), aclosing(answer):
        while second.backlog_bytes < 4 * 1024 * 1024:
            second.send(more)
            await asyncio.sleep(0)

    assert 0 == gateway.slots


async def test_stream_is_broken_off_when_its_format_has_no_words_for_errors(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """What could be told before the failure is told, in order, and the end is missing."""
    gateway = make_gateway(upstream_url=zhipu.url)
    task = run(gateway, Pieces(*map(call, range(2))), stream=True)
    first, second = await zhipu.call(), await zhipu.call()
    second.refuse("1301", status=400)
    first.stream(b"data: a\n\n", b"data: [DONE]\n\n")

    answer = await task
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        told = [events async for events in answer]

    assert (b"a", True, 0) == (b"".join(told), answer.broken, gateway.slots)
    assert answer.failure is not None


async def test_call_goes_where_it_says_and_takes_a_slot_of_its_model(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """A job may need two models, as one that transcribes and then translates."""
    gateway = make_gateway(upstream_url=zhipu.url)
    model = gateway.desk.terms.catalog.resolve("glm-4.6")
    task = run(gateway, Pieces(call(0, path="/elsewhere", model=model, content_type=b"text/x")))
    made = await zhipu.call()

    held = {row.model for row in gateway.desk.limiter.snapshot() if row.here}
    made.answer(b"done", content_type="text/plain")

    assert b"done" == await task
    assert {"glm-4.6"} == held
    assert ("/elsewhere", "text/x") == (made.path.removeprefix("/api/paas/v4"), made.headers["content-type"])


async def test_slow_stream_is_fed_in_a_thread(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Others are served while one works, and its events stay in order."""

    class Slow(Pieces):
        fed = Slowly()

        def stream(self, index: int) -> Slowly:
            del index
            return self.fed

    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [lambda made: made.stream(b"data: a\n\n", b"data: b\n\n", b"data: [DONE]\n\n")]

    answer = await run(gateway, Slow(call(0)), stream=True)
    assert isinstance(answer, StreamedAnswer)
    async with aclosing(answer):
        told = [events async for events in answer]

    assert b"ab." == b"".join(told)
    assert Slow.fed.threads
    assert threading.get_ident() not in Slow.fed.threads


async def test_call_that_glm_refuses_is_made_otherwise(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """At once, and only once: what is refused then as well is wrong."""
    gateway = make_gateway(upstream_url=zhipu.url)
    refuse = [lambda made: made.refuse("1214", status=400)] * 3
    zhipu.script = [refuse[0], lambda made: made.answer(b"done", content_type="text/plain"), *refuse[1:]]
    made_otherwise = call(0, otherwise=b'{"number":7}')

    first = await run(gateway, Pieces(made_otherwise))
    (second,) = await asyncio.gather(run(gateway, Pieces(made_otherwise)), return_exceptions=True)

    assert b"done" == first
    assert isinstance(second, InvalidRequest)
    assert [0, 7, 0, 7] == [made.body["number"] for made in zhipu.calls]
    assert 0 == gateway.slots


async def test_call_that_fails_is_not_made_otherwise(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Only what GLM says is wrong can be put otherwise; and what was, stays so."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [
        lambda made: made.refuse("1234", status=500),
        lambda made: made.refuse("1214", status=400),
        lambda made: made.refuse("1234", status=500),
        lambda made: made.answer(b"done", content_type="text/plain"),
    ]

    await run(gateway, Pieces(call(0, again=b'{"number":1}', otherwise=b'{"number":7}')))

    assert [0, 1, 7, 7] == [made.body["number"] for made in zhipu.calls]
