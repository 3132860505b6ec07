"""An account that refuses is set aside and others carry on; what it has too much of waits in line again."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.errors import QuotaExhausted
from gateway.exchange.accounts import BEIJING, aside_seconds, verdict_on
from gateway.exchange.overview import overview
from gateway.glm.errors import BUSINESS_CODES
from gateway.metrics import AccountState
from gateway.record import UpstreamFault
from gateway.settings import Account, Secret
from gateway.settings.schema import Upstream
from tests.conftest import MakeGateway
from tests.fakes import DONE, Call, Caller, Zhipu, call_app, chunk, completion, error_body, event, last_chunk
from tests.limits.requests import until
from tests.running import Gateway

TWO_ACCOUNTS = tuple(Account(name=name, api_key=Secret(f"{name}-key"), tier="V0") for name in ("main", "spare"))
TWO_SLOTS = {"glm-4.7": {"V0": 2, "V1": 2, "V2": 2, "V3": 4}}
ONE_SLOT = {"glm-4.7": dict.fromkeys(("V0", "V1", "V2", "V3"), 1)}


async def ask(gateway: Gateway, **fields: Any) -> Caller:
    request = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]} | fields
    caller = Caller(msgspec.json.encode(request))
    await call_app(gateway.app, caller)
    return caller


def code_of(caller: Caller) -> str:
    code: str = msgspec.json.decode(caller.body)["error"]["code"]
    return code


def account_of(call: Call) -> str:
    return call.headers["authorization"].removeprefix("Bearer ").removesuffix("-key")


def whole(call: Call) -> None:
    call.answer(completion("Hello."))


def streamed(call: Call) -> None:
    call.stream(chunk(content="Hello."), last_chunk(), DONE)


def refusal(code: str, *, message: str = "…") -> Callable[[Call], None]:
    return lambda call: call.answer(error_body(code, message), status=BUSINESS_CODES[code].http_status)


def states(gateway: Gateway) -> dict[str, AccountState]:
    desk = gateway.desk
    return {one.account: one for one in overview(desk.limiter, terms=desk.terms, health=desk.health).states}


@pytest.mark.parametrize("code", ["1113", "1308", "1309", "1311", "1112", "1000"])
@pytest.mark.parametrize(("stream", "success"), [(False, whole), (True, streamed)], ids=["whole", "streamed"])
async def test_request_goes_to_another_account_when_one_refuses(
    make_gateway: MakeGateway, zhipu: Zhipu, code: str, success: Callable[[Call], None], *, stream: bool
) -> None:
    """At once, even where nothing is to be retried and nobody may wait; later ones do not even try the first."""
    gateway = make_gateway(
        upstream_url=zhipu.url, accounts=TWO_ACCOUNTS, upstream=Upstream(max_retries=0), queue_timeout_seconds=0
    )
    zhipu.script = [refusal(code), success, success]

    first, second = await ask(gateway, stream=stream), await ask(gateway, stream=stream)

    assert (200, 200) == (first.status, second.status)
    assert ["main", "spare", "spare"] == [account_of(call) for call in zhipu.calls]
    record = gateway.records[0]
    assert ("ok", 1, "spare") == (record.outcome, record.retries, record.account)
    told = states(gateway)
    assert (False, True) == (told["main"].healthy, told["spare"].healthy)
    assert told["main"].aside_seconds > 50
    assert f"GLM {code} (" in told["main"].reason


async def test_stream_goes_to_another_account_when_its_first_event_is_a_refusal(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """The caller has seen nothing of it."""
    gateway = make_gateway(upstream_url=zhipu.url, accounts=TWO_ACCOUNTS)
    zhipu.script = [lambda call: call.stream(event(error_body("1113"))), streamed]

    caller = await ask(gateway, stream=True)

    assert (200, True) == (caller.status, caller.body.endswith(DONE))


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("1113", 429, "insufficient_quota"),
        ("1311", 429, "insufficient_quota"),
        ("1000", 502, "upstream_account_rejected"),
    ],
)
async def test_caller_is_told_why_when_no_account_is_left(
    make_gateway: MakeGateway, zhipu: Zhipu, code: str, status: int, told: str
) -> None:
    """One request at a time goes on to try; the others are told at once, and so is who waits in line."""
    gateway = make_gateway(upstream_url=zhipu.url, limits=ONE_SLOT)
    loop = asyncio.get_running_loop()
    asking = [loop.create_task(ask(gateway)) for _ in range(5)]
    call = await zhipu.call()
    await until(lambda: gateway.waiting == 4)

    call.refuse(code, status=BUSINESS_CODES[code].http_status)
    trial = await zhipu.call()
    trial.refuse(code, status=BUSINESS_CODES[code].http_status)
    callers = await asyncio.wait_for(asyncio.gather(*asking), 10)

    assert {(status, told)} == {(caller.status, code_of(caller)) for caller in callers}
    assert 2 == len(zhipu.calls)
    assert (0, 0) == (gateway.slots, gateway.waiting)


async def test_account_serves_again_when_the_next_request_finds_it_in_order(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """The only account is not given up: a balance that is topped up is found with the next request."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [refusal("1113"), refusal("1113"), whole]

    statuses = [(await ask(gateway)).status for _ in range(3)]

    assert [429, 429, 200] == statuses
    assert all(state.healthy for state in states(gateway).values())


async def test_trial_goes_on_when_there_is_too_much_at_once(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """A trial that has to wait again is not in its own way."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [refusal("1000"), refusal("1302"), whole]

    statuses = [(await ask(gateway)).status for _ in range(2)]

    assert [502, 200] == statuses
    assert all(state.healthy for state in states(gateway).values())


async def test_next_request_tries_when_the_caller_of_a_trial_leaves(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Whoever hangs up does not keep others from finding out that the account serves again."""
    gateway = make_gateway(upstream_url=zhipu.url)
    zhipu.script = [refusal("1113")]
    await ask(gateway)
    leaving = Caller(
        msgspec.json.encode({"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]})
    )
    trial = asyncio.get_running_loop().create_task(call_app(gateway.app, leaving))
    call = await zhipu.call()

    leaving.leave()
    await asyncio.wait_for(call.gone.wait(), 5)
    await trial
    zhipu.script = [whole]

    assert 200 == (await ask(gateway)).status


async def test_next_request_tries_when_a_trial_fails(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """One at a time as before: that the platform fails says nothing of the balance."""
    gateway = make_gateway(upstream_url=zhipu.url, upstream=Upstream(max_retries=0))
    zhipu.script = [refusal("1000"), refusal("500"), refusal("500"), whole]

    statuses = [(await ask(gateway)).status for _ in range(4)]

    assert [502, 502, 502, 200] == statuses


async def test_other_models_are_served_when_one_is_refused(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Without a balance free models still answer."""
    gateway = make_gateway(upstream_url=zhipu.url, accounts=TWO_ACCOUNTS)
    zhipu.script = [refusal("1113"), whole, whole]

    await ask(gateway)
    await ask(gateway, model="glm-4.5-flash")

    assert ["main", "spare", "main"] == [account_of(call) for call in zhipu.calls]


async def test_account_is_left_alone_when_it_only_fails(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """After several failures in a row the rest goes to the other account."""
    gateway = make_gateway(upstream_url=zhipu.url, accounts=TWO_ACCOUNTS, upstream=Upstream(max_retries=0))
    zhipu.script = [refusal("500")] * 5 + [whole] * 3

    statuses = [(await ask(gateway)).status for _ in range(8)]

    assert [502] * 5 + [200] * 3 == statuses
    assert ["main"] * 5 + ["spare"] * 3 == [account_of(call) for call in zhipu.calls]
    assert (
        "upstream_error for glm-4.7" == states(gateway)["main"].reason
        or "GLM 500" in states(gateway)["main"].reason
    )


async def test_only_account_is_used_when_it_only_fails(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    """Every caller gets its own answer, not the memory of another's."""
    gateway = make_gateway(upstream_url=zhipu.url, upstream=Upstream(max_retries=0))
    zhipu.script = [refusal("500")] * 7 + [whole]

    statuses = [(await ask(gateway)).status for _ in range(8)]

    assert [502] * 7 + [200] == statuses


async def test_request_waits_again_when_zhipu_has_too_much_at_once(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Behind what is under way; it counts as no retry, and fewer go to that account from then on."""
    gateway = make_gateway(upstream_url=zhipu.url, upstream=Upstream(max_retries=0))
    loop = asyncio.get_running_loop()
    asking = [loop.create_task(ask(gateway)) for _ in range(2)]
    first, second = await zhipu.call(), await zhipu.call()

    second.refuse("1302", status=429)
    await until(lambda: gateway.waiting == 1)
    first.answer(completion())
    (await zhipu.call()).answer(completion())

    assert [200, 200] == [caller.status for caller in await asyncio.gather(*asking)]
    assert [0, 1] == sorted(record.retries for record in gateway.records)
    desk = gateway.desk
    accounts = overview(desk.limiter, terms=desk.terms, health=desk.health).accounts
    (row,) = (one for one in accounts if one.model == "glm-4.7")
    assert (1, True) == (row.learned_limit, row.limit > 1)


@pytest.mark.parametrize("code", ["1302", "1305", "500"])
async def test_call_is_repeated_with_another_account_when_one_fails(
    make_gateway: MakeGateway, zhipu: Zhipu, code: str
) -> None:
    """What others send with the same key may crowd it for long, while the spare one idles."""
    gateway = make_gateway(upstream_url=zhipu.url, accounts=TWO_ACCOUNTS)
    zhipu.script = [refusal(code), whole]

    caller = await ask(gateway)

    assert (200, ["main", "spare"]) == (caller.status, [account_of(call) for call in zhipu.calls])


async def test_call_is_repeated_with_the_same_account_when_the_other_is_full(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """It does not wait for a slot while there is one."""
    gateway = make_gateway(upstream_url=zhipu.url, accounts=TWO_ACCOUNTS, limits=TWO_SLOTS)
    loop = asyncio.get_running_loop()
    asking = [loop.create_task(ask(gateway)) for _ in range(4)]
    calls = [await zhipu.call() for _ in asking]
    refused = next(call for call in calls if account_of(call) == "main")

    refused.refuse("500", status=500)
    again = await zhipu.call()
    for call in [again, *calls]:
        if call is not refused:
            call.answer(completion())

    assert [200] * 4 == [caller.status for caller in await asyncio.gather(*asking)]
    assert "main" == account_of(again)


async def test_caller_is_told_soon_when_it_is_others_who_crowd_the_account(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """Nothing of ours is under way, so there is nothing to wait for: it is tried four times more."""
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.jitter = lambda: -0.99
    zhipu.script = [refusal("1302")] * 20

    caller = await ask(gateway)

    assert (429, 5) == (caller.status, len(zhipu.calls))


async def test_request_alone_is_tried_again_when_others_crowd_the_account(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    gateway.desk.jitter = lambda: -0.99
    zhipu.script = [refusal("1302")] * 4 + [whole]

    caller = await ask(gateway)

    assert (200, 4) == (caller.status, gateway.record.retries)


async def test_caller_is_told_when_zhipu_has_too_much_for_longer_than_it_waits(
    make_gateway: MakeGateway, zhipu: Zhipu
) -> None:
    """It is told apart from a refusal of our own by its code."""
    gateway = make_gateway(upstream_url=zhipu.url, queue_timeout_seconds=0.3, upstream=Upstream(max_retries=9))
    zhipu.script = [refusal("1302")] * 20

    caller = await ask(gateway)

    assert (429, "upstream_rate_limit_exceeded") == (caller.status, code_of(caller))


async def test_record_tells_the_place_in_line(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url, limits=ONE_SLOT)
    asking = [asyncio.get_running_loop().create_task(ask(gateway)) for _ in range(3)]
    for _ in range(3):
        (await zhipu.call()).answer(completion())
    await asyncio.gather(*asking)

    assert [0, 1, 2] == sorted(record.queue_position for record in gateway.records)


@pytest.mark.parametrize("code", sorted(BUSINESS_CODES))
def test_every_code_says_what_it_means_for_its_account(code: str) -> None:
    """Money, plans and keys bar the account; what the caller did, or the model, says nothing of it."""
    row = BUSINESS_CODES[code]
    verdict = verdict_on(UpstreamFault(http_status=row.http_status, code=code, kind=row.kind))

    expected = {
        "auth": "account",
        "request": "nothing",
        "policy": "nothing",
        "overload": "nothing",
        "gone": "nothing",
    }
    assert expected.get(row.kind, verdict) == verdict
    assert (row.kind in ("billing", "quota")) <= (verdict in ("account", "model"))
    assert (code in ("1302", "1303")) == (verdict == "crowded")


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (401, "auth", "account"),
        (402, "billing", "model"),
        (403, "permission", "nothing"),
        (429, "rate_limit", "nothing"),
        (502, "internal", "failed"),
        (0, "connect", "failed"),
        (200, "timeout", "nothing"),
    ],
)
def test_answer_without_a_code_is_judged_by_its_status(status: int, kind: str, verdict: str) -> None:
    assert verdict == verdict_on(UpstreamFault(http_status=status, code="", kind=kind))


NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC).timestamp()


async def test_caller_is_told_to_come_back_when_the_quota_does(make_gateway: MakeGateway, zhipu: Zhipu) -> None:
    gateway = make_gateway(upstream_url=zhipu.url)
    resets = datetime.now(BEIJING) + timedelta(hours=2)
    zhipu.script = [refusal("1308", message=f"Back at {resets:%Y-%m-%d %H:%M:%S}.")]

    caller = await ask(gateway)

    assert 7000 < int(dict(caller.messages[0]["headers"])[b"retry-after"]) <= 7200


@pytest.mark.parametrize(
    ("resets_at", "seconds"),
    [
        ("2026-11-21 13:00:00", 3600),
        ("2026-11-21 12:30", 1800),
        ("2026-11-21 11:59:59", None),
        ("2027-11-21 12:00:00", None),
        ("2026-99-99 12:00:00", None),
        (None, None),
    ],
)
def test_account_is_aside_until_the_quota_comes_back_by_beijings_clock(
    resets_at: str | None, seconds: float | None
) -> None:
    """At noon in Beijing. A date that is over, far off or none is not believed."""
    error = QuotaExhausted("…")
    error.resets_at = resets_at

    assert seconds == aside_seconds(error, now=NOON)
