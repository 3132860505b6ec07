"""OpenAI's own SDK, unchanged, chats with GLM: whole, streamed, with tools, schemas, pictures and errors."""

import asyncio
import base64
import json
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from gateway.auth import Tenant, digest
from gateway.settings.schema import Chat
from gateway.simulator import Running
from gateway.simulator import faults as simulated_faults
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import DONE, KEY, Call, Zhipu, chunk, completion, error_body, event, last_chunk
from tests.running import Gateway

MODEL = "glm-4.7"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK_WEATHER: Any = [{"role": "user", "content": "What is the weather in Paris?"}]


class Person(BaseModel):
    """What is to be read from a text."""

    name: str
    age: int


class Weather(BaseModel):
    """Tells the weather of a city."""

    city: str


def whole(text: str = "Hello.", **message: Any) -> Callable[[Call], None]:
    return lambda call: call.answer(completion(text, **message))


def refusal(code: str, status: int) -> Callable[[Call], None]:
    return lambda call: call.refuse(code, status=status)


def picture() -> str:
    """Make a PNG of 3 by 2 pixels as a data URI."""
    rows = (b"\0" + b"\xdc\x1e\x1e" * 3) * 2
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    data = b"".join(
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in parts
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


# Before the simulator.


async def test_answer_is_whole(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say bonjour"}])

    (choice,) = answer.choices
    assert ("bonjour", "stop", "assistant") == (choice.message.content, choice.finish_reason, choice.message.role)
    assert (MODEL, "chat.completion") == (answer.model, answer.object)
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_")


@pytest.mark.parametrize("include_usage", [True, False])
async def test_answer_is_streamed(sdk: openai.AsyncOpenAI, *, include_usage: bool) -> None:
    """The usage comes in a chunk of its own if it was asked for, and not at all if it was not."""
    stream = await sdk.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Count from 1 to 5"}],
        stream=True,
        stream_options={"include_usage": include_usage},
        reasoning_effort="none",
    )
    chunks = [one async for one in stream]

    assert "1 2 3 4 5" == text_of(chunks)
    assert ["stop"] == [
        one.choices[0].finish_reason for one in chunks if one.choices and one.choices[0].finish_reason
    ]
    assert 1 == len({one.id for one in chunks})
    assert include_usage == (not chunks[-1].choices and chunks[-1].usage is not None)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)


async def test_helper_adds_a_stream_up(sdk: openai.AsyncOpenAI) -> None:
    """``.stream()`` is the strictest reader: it fails on a chunk that does not fit."""
    async with sdk.chat.completions.stream(model=MODEL, messages=HELLO) as stream:
        kinds = {one.type async for one in stream}
        answer = await stream.get_final_completion()

    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert "Hello! How can I help you?" == answer.choices[0].message.content


async def test_reasoning_is_shown_as_reasoning(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model=MODEL, messages=HELLO)

    assert "The user asks" in str((answer.choices[0].message.model_extra or {})["reasoning_content"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_answer_is_parsed_when_a_schema_was_given(sdk: openai.AsyncOpenAI, *, stream: bool) -> None:
    messages: Any = [{"role": "user", "content": "Ann is 31 years old. Who is it?"}]
    if stream:
        async with sdk.chat.completions.stream(model=MODEL, messages=messages, response_format=Person) as events:
            answer = await events.get_final_completion()
    else:
        answer = await sdk.chat.completions.parse(model=MODEL, messages=messages, response_format=Person)

    assert isinstance(answer.choices[0].message.parsed, Person)


async def test_tools_loop_ends_with_an_answer(sdk: openai.AsyncOpenAI) -> None:
    """Ask, call, tell the result, read the answer."""
    asked = await sdk.chat.completions.create(model=MODEL, messages=ASK_WEATHER, tools=[WEATHER])
    message: Any = asked.choices[0].message
    assert message.tool_calls
    results: Any = [
        {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear"}'} for call in message.tool_calls
    ]
    answer = await sdk.chat.completions.create(
        model=MODEL, messages=[*ASK_WEATHER, message, *results], tools=[WEATHER]
    )

    (call,) = message.tool_calls
    assert call.type == "function"
    assert ("tool_calls", "get_weather", "Paris") == (
        asked.choices[0].finish_reason,
        call.function.name,
        json.loads(call.function.arguments)["city"],
    )
    assert "clear" in (answer.choices[0].message.content or "")


async def test_tool_calls_add_up_when_they_are_streamed(sdk: openai.AsyncOpenAI) -> None:
    async with sdk.chat.completions.stream(model=MODEL, messages=ASK_WEATHER, tools=[WEATHER]) as stream:
        answer = await stream.get_final_completion()

    (call,) = answer.choices[0].message.tool_calls or []
    assert ("get_weather", "Paris") == (call.function.name, json.loads(call.function.arguments)["city"])


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # The SDK's own, of what it parsed.
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_what_helpers_make_of_an_answer_can_be_sent_back(
    start_gateway: StartGateway, simulator: Running, connect: Connect, *, stream: bool
) -> None:
    """They add what they parsed, and the index of each call; nobody wrote these, so that strict tenants may."""
    strict = Tenant(name="team", key_sha256=(digest(KEY),), tier="V3", strict=True)
    chat = connect(await start_gateway(upstream_url=simulator.url, tenants=(strict,))).chat.completions

    async def said(messages: Any, **fields: Any) -> Any:
        if not stream:
            return (await chat.parse(model=MODEL, messages=messages, **fields)).choices[0].message
        async with chat.stream(model=MODEL, messages=messages, **fields) as events:
            return (await events.get_final_completion()).choices[0].message

    ask_person: Any = [{"role": "user", "content": "Ann is 31 years old. Who is it?"}]
    person = await said(ask_person, response_format=Person)
    calling = await said(ASK_WEATHER, tools=[openai.pydantic_function_tool(Weather)])
    (call,) = calling.tool_calls
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear"}'}

    raw = await chat.with_raw_response.create(
        model=MODEL, messages=[*ask_person, person, *ASK_WEATHER, calling, result]
    )

    assert isinstance(person.parsed, Person)
    assert isinstance(call.function.parsed_arguments, Weather)
    assert "clear" in (raw.parse().choices[0].message.content or "")
    assert "x-gateway-ignored" not in raw.headers


async def test_functions_of_old_are_called(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model=MODEL, messages=ASK_WEATHER, functions=[WEATHER["function"]])

    call = answer.choices[0].message.function_call
    assert call is not None
    assert ("function_call", "get_weather") == (answer.choices[0].finish_reason, call.name)
    assert not answer.choices[0].message.tool_calls


async def test_several_choices_come_side_by_side(sdk: openai.AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model=MODEL, messages=HELLO, n=3)
    stream = await sdk.chat.completions.create(model=MODEL, messages=HELLO, n=3, stream=True)
    streamed = {one.choices[0].index async for one in stream if one.choices}

    assert [0, 1, 2] == [choice.index for choice in answer.choices]
    assert {0, 1, 2} == streamed


async def test_picture_is_seen(sdk: openai.AsyncOpenAI) -> None:
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": picture(), "detail": "low"}},
    ]
    messages: Any = [{"role": "user", "content": content}]

    answer = await sdk.chat.completions.create(model="glm-4.5v", messages=messages)

    assert "3 x 2 pixels" in (answer.choices[0].message.content or "")


async def test_models_are_listed_and_found(sdk: openai.AsyncOpenAI) -> None:
    ids = [model.id async for model in sdk.models.list()]

    assert MODEL in ids
    assert MODEL == (await sdk.models.retrieve("GLM-4.7")).id


async def test_synchronous_client_is_served(start_gateway: StartGateway, simulator: Running) -> None:
    gateway = await start_gateway(upstream_url=simulator.url)

    def chat() -> tuple[str | None, str]:
        http = openai.DefaultHttpxClient(trust_env=False, verify=False)
        with openai.OpenAI(api_key=KEY, base_url=gateway.url, max_retries=0, http_client=http) as sdk:
            messages: Any = [{"role": "user", "content": "Say bonjour"}]
            answer = sdk.chat.completions.create(model=MODEL, messages=messages)
            with sdk.chat.completions.create(model=MODEL, messages=messages, stream=True) as stream:
                return answer.choices[0].message.content, text_of(list(stream))

    assert ("bonjour", "bonjour") == await asyncio.to_thread(chat)


@pytest.mark.parametrize(
    "fault",
    [
        simulated_faults.Split(size_bytes=1),
        simulated_faults.Split(size_bytes=7),
        simulated_faults.Slow(seconds=0.001),
        simulated_faults.Error(code="1305"),
        simulated_faults.ErrorInSuccess(code="1234"),
    ],
    ids=["one byte at a time", "seven bytes at a time", "slow", "overloaded once", "network error once"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_client_notices_nothing_when_a_fault_passes(
    sdk: openai.AsyncOpenAI, simulator: Running, fault: Any, *, stream: bool
) -> None:
    simulator.simulator.script.add([fault])
    messages: Any = [{"role": "user", "content": "请说：你好，世界"}]

    if stream:
        text = text_of(
            [one async for one in await sdk.chat.completions.create(model=MODEL, messages=messages, stream=True)]
        )
    else:
        text = (await sdk.chat.completions.create(model=MODEL, messages=messages)).choices[0].message.content or ""

    assert "你好，世界" == text


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (simulated_faults.CutConnection(after_chunks=3), "upstream_unavailable"),
        (simulated_faults.CutConnection(after_chunks=3, part_bytes=9), "upstream_unavailable"),
        (simulated_faults.ErrorEvent(code="1305", after_chunks=3), "upstream_overloaded"),
        (simulated_faults.Finish(reason="network_error", after_chunks=3), "upstream_error"),
        (simulated_faults.NoDone(after_chunks=3), "upstream_protocol_error"),
        (simulated_faults.Garbage(after_chunks=3), "upstream_protocol_error"),
    ],
    ids=["cut", "cut inside a line", "error event", "network_error", "no end", "garbage"],
)
async def test_stream_raises_when_it_breaks(
    sdk: openai.AsyncOpenAI, simulator: Running, fault: Any, code: str
) -> None:
    """A broken stream is never taken for a whole one."""
    simulator.simulator.script.add([fault])
    stream = await sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=True)

    await anext(stream)
    with pytest.raises(openai.APIError) as error:
        await collect(stream)

    assert (code, "server_error") == (error.value.code, error.value.type)


# Before a Zhipu that is played by its recorded wire shapes.


async def test_recorded_answer_is_understood(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [whole("\nHello there.", reasoning_content="Greet back.")]

    answer = await played.chat.completions.create(model=MODEL, messages=HELLO)

    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.completion_tokens_details is not None
    assert (15, 7, 22, 4, 3) == (
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
        answer.usage.total_tokens,
        answer.usage.prompt_tokens_details.cached_tokens,
        answer.usage.completion_tokens_details.reasoning_tokens,
    )
    assert "Hello there." == (answer.choices[0].message.content or "").strip()
    call = zhipu.calls[0]
    assert {"model": MODEL, "messages": HELLO} == {name: call.body[name] for name in ("model", "messages")}
    assert call.headers["authorization"].startswith("Bearer ")
    assert KEY not in str(call.headers)


async def test_recorded_stream_is_understood(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    """Roles in each chunk, the first with both texts, no ``object``, the usage with the end."""
    zhipu.script = [
        lambda call: call.stream(
            chunk(reasoning_content="Greet", content=""),
            chunk(reasoning_content=" back."),
            chunk(content="Hello"),
            chunk(content=" there."),
            last_chunk(),
            DONE,
        )
    ]

    async with played.chat.completions.stream(
        model=MODEL, messages=HELLO, stream_options={"include_usage": True}
    ) as stream:
        chunks = [one.chunk async for one in stream if one.type == "chunk"]
        answer = await stream.get_final_completion()

    assert ("Hello there.", "stop") == (answer.choices[0].message.content, answer.choices[0].finish_reason)
    assert 1 == sum(one.choices[0].delta.role is not None for one in chunks if one.choices)
    assert answer.usage is not None
    assert 22 == answer.usage.total_tokens
    assert all("finish_reason" in one.choices[0].model_fields_set for one in chunks if one.choices)


RECORDED_CALLS: list[Any] = [
    {
        "id": f"call_{number}",
        "index": number,
        "type": "function",
        "function": {"name": "get_weather", "arguments": text},
    }
    for number, text in enumerate(('{"city": "Paris"}', '{"city": "Rome"}'))
]


async def test_recorded_tool_calls_are_understood(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    """Each call comes whole in a chunk without a role, after a sentence."""
    zhipu.script = [
        lambda call: call.stream(
            chunk(reasoning_content="Two cities."),
            chunk(content="I will look."),
            *[chunk(tool_calls=[one]) for one in RECORDED_CALLS],
            last_chunk("tool_calls"),
            DONE,
        )
    ]

    async with played.chat.completions.stream(model=MODEL, messages=ASK_WEATHER, tools=[WEATHER]) as stream:
        answer = await stream.get_final_completion()

    (choice,) = answer.choices
    assert "tool_calls" == choice.finish_reason
    assert [(one["id"], one["function"]["arguments"]) for one in RECORDED_CALLS] == [
        (one.id, one.function.arguments) for one in choice.message.tool_calls or []
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_glm_gets_its_reasoning_back_when_the_client_dropped_it(
    played: openai.AsyncOpenAI, zhipu: Zhipu, *, stream: bool
) -> None:
    """The SDK's own message has no place for it, so the gateway remembers."""
    if stream:
        zhipu.script = [
            lambda call: call.stream(
                chunk(reasoning_content="Two "),
                chunk(reasoning_content="cities."),
                *[chunk(tool_calls=[one]) for one in RECORDED_CALLS],
                last_chunk("tool_calls"),
                DONE,
            )
        ]
    else:
        message = {"reasoning_content": "Two cities.", "tool_calls": RECORDED_CALLS}
        zhipu.script = [whole("", finish_reason="tool_calls", **message)]
    zhipu.script.append(whole())

    answer = await ask_weather(played, stream=stream)
    calls = answer.choices[0].message.tool_calls or []
    turn: Any = [
        {
            "role": "assistant",
            "tool_calls": [call.model_dump(include={"id", "type", "function"}) for call in calls],
        },
        *[{"role": "tool", "tool_call_id": call.id, "content": "clear"} for call in calls],
    ]
    await played.chat.completions.create(model=MODEL, messages=[*ASK_WEATHER, *turn], tools=[WEATHER])

    assert "Two cities." == zhipu.calls[1].body["messages"][1]["reasoning_content"]


async def ask_weather(sdk: openai.AsyncOpenAI, *, stream: bool) -> Any:
    if not stream:
        return await sdk.chat.completions.create(model=MODEL, messages=ASK_WEATHER, tools=[WEATHER])
    async with sdk.chat.completions.stream(model=MODEL, messages=ASK_WEATHER, tools=[WEATHER]) as events:
        return await events.get_final_completion()


async def test_answer_is_asked_for_once_more_when_it_breaks_its_schema(
    played: openai.AsyncOpenAI, zhipu: Zhipu
) -> None:
    """GLM is told what is wrong, and both calls are counted."""
    zhipu.script = [whole('{"name": "Ann"}'), whole('```json\n{"name": "Ann", "age": 31}\n```')]

    answer = await played.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Person)

    assert Person(name="Ann", age=31) == answer.choices[0].message.parsed
    assert answer.usage is not None
    assert 44 == answer.usage.total_tokens
    assert "corrected" in zhipu.calls[1].body["messages"][-1]["content"]


async def test_error_is_raised_when_the_schema_stays_broken(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [whole('{"name": 1}')] * 2

    with pytest.raises(openai.InternalServerError) as error:
        await played.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Person)

    assert ("invalid_structured_output", "false") == (
        error.value.code,
        error.value.response.headers["x-should-retry"],
    )


REFUSALS = [
    ("1210", 400, openai.BadRequestError, None),
    ("1261", 400, openai.BadRequestError, "context_length_exceeded"),
    ("1301", 400, openai.BadRequestError, "content_filter"),
    ("1211", 400, openai.NotFoundError, "model_not_found"),
    ("1302", 429, openai.RateLimitError, "upstream_rate_limit_exceeded"),
    ("1113", 429, openai.RateLimitError, "insufficient_quota"),
    ("1305", 429, openai.InternalServerError, "upstream_overloaded"),
    ("1000", 401, openai.InternalServerError, "upstream_account_rejected"),
    ("1234", 500, openai.InternalServerError, "upstream_error"),
]


@pytest.mark.parametrize(("glm_code", "status", "kind", "code"), REFUSALS, ids=[row[0] for row in REFUSALS])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_refusal_is_raised_as_the_right_class(
    start_gateway: StartGateway,
    zhipu: Zhipu,
    connect: Connect,
    *,
    glm_code: str,
    status: int,
    kind: type[openai.APIStatusError],
    code: str | None,
    stream: bool,
) -> None:
    """By Zhipu's business code, not by its HTTP status: 429 means five things there."""
    sdk = connect(await start_gateway(upstream_url=zhipu.url, queue_timeout_seconds=0))
    zhipu.script = [refusal(glm_code, status)]

    with pytest.raises(kind) as error:
        await sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=stream)

    assert (kind, code) == (type(error.value), error.value.code)
    assert f"(GLM {glm_code})" in error.value.message
    assert error.value.request_id is not None


async def test_client_asks_once_when_a_retry_cannot_help(gateway: Gateway, zhipu: Zhipu, connect: Connect) -> None:
    """The SDK repeats every 429 by itself, unless it is told not to."""
    zhipu.script = [refusal("1113", 429)] * 3

    with pytest.raises(openai.RateLimitError):
        await connect(gateway, max_retries=2).chat.completions.create(model=MODEL, messages=HELLO)

    assert 1 == len(zhipu.calls)


async def test_client_comes_back_when_its_tier_was_full(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own 429 says when to come back, and the SDK does."""
    one = dict.fromkeys(("V0", "V1", "V2", "V3"), 1)
    gateway = await start_gateway(upstream_url=zhipu.url, limits={MODEL: one}, queue_timeout_seconds=0)
    first = asyncio.get_running_loop().create_task(
        connect(gateway).chat.completions.create(model=MODEL, messages=HELLO)
    )
    call = await zhipu.call()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        whole()(call)
        await first

    sdk = connect(gateway, max_retries=1)
    monkeypatch.setattr(sdk, "_sleep_for_retry", after(pause, sdk))
    zhipu.script = [whole("Second.")]
    answer = await sdk.chat.completions.create(model=MODEL, messages=HELLO)

    assert "Second." == answer.choices[0].message.content
    assert [1.0] == pauses


def after(pause: Callable[[float], Awaitable[None]], sdk: openai.AsyncOpenAI) -> Any:
    """Do something else instead of sleeping, with the seconds the SDK would sleep."""

    async def sleep(*, retries_taken: int, max_retries: int, options: Any, response: Any) -> None:
        remaining = max_retries - retries_taken
        headers = response.headers if response is not None else None
        await pause(sdk._calculate_retry_timeout(remaining, options, headers))

    return sleep


async def test_wrong_key_raises_an_authentication_error(gateway: Gateway, connect: Connect) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        await connect(gateway, api_key="sk-wrong").chat.completions.create(model=MODEL, messages=HELLO)

    assert "invalid_api_key" == error.value.code
    assert "sk-wrong" not in str(error.value)


async def test_glm_is_cut_off_when_the_client_times_out(gateway: Gateway, zhipu: Zhipu, connect: Connect) -> None:
    """A client's own timeout is a departure like any other."""
    sdk = connect(gateway, timeout=0.2)
    task = asyncio.get_running_loop().create_task(sdk.chat.completions.create(model=MODEL, messages=HELLO))
    call = await zhipu.call()

    with pytest.raises(openai.APITimeoutError):
        await task
    await call.gone.wait()


async def test_stream_goes_on_when_the_client_skips_heartbeats(
    start_gateway: StartGateway, zhipu: Zhipu, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=zhipu.url, chat=Chat(heartbeat_seconds=0.005))
    begun = connect(gateway).chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    opening = asyncio.get_running_loop().create_task(begun)
    call = await zhipu.call()
    call.begin(chunk(content="Hello"))
    task = asyncio.get_running_loop().create_task(collect(await opening))
    await asyncio.sleep(0.05)
    call.end(chunk(content=" there."), last_chunk(), DONE)

    assert "Hello there." == text_of(await task)


async def test_stream_raises_when_glm_sends_an_error_event(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script = [lambda call: call.stream(chunk(content="Hel"), event(error_body("1301")))]

    stream = await played.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    with pytest.raises(openai.APIError) as error:
        await collect(stream)

    assert "content_filter" == error.value.code


async def collect(stream: Any) -> list[ChatCompletionChunk]:
    return [one async for one in stream]
