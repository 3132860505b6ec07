"""OpenAI's own SDK, unchanged, asks for responses: whole, streamed, parsed, with tools, and one upon another."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseFunctionToolCall, ResponseReasoningItem, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from gateway.auth import Tenant, digest
from gateway.settings.schema import Responses
from gateway.simulator import Running
from tests.conftest import StartGateway
from tests.contract.conftest import Connect
from tests.fakes import Call, Zhipu, chunk, completion
from tests.running import SETTINGS

MODEL = "glm-4.7"
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
OTHER_KEY = "sk-other-0123456789abcdef"
TWO_TENANTS = (*SETTINGS.tenants, Tenant(name="others", key_sha256=(digest(OTHER_KEY),), tier="V3"))


class Person(BaseModel):
    """What is to be read from a text."""

    name: str
    age: int


def whole(text: str, **more: Any) -> Callable[[Call], None]:
    return lambda call: call.answer(completion(text, **more))


def call_in(response: openai.types.responses.Response) -> ResponseFunctionToolCall:
    (call,) = (item for item in response.output if isinstance(item, ResponseFunctionToolCall))
    return call


# Before the simulator.


async def test_answer_is_whole(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(model=MODEL, input="Say bonjour", metadata={"a": "b"})

    assert ("bonjour", "completed", MODEL) == (response.output_text, response.status, response.model)
    assert {"a": "b"} == response.metadata
    assert isinstance(response.output[0], ResponseReasoningItem)
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens > 0
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


async def test_answer_is_streamed(sdk: openai.AsyncOpenAI) -> None:
    """The SDK's own state machine follows the events, and each is of one of its types."""
    async with sdk.responses.stream(model=MODEL, input="Count from 1 to 5") as stream:
        numbers = [event.sequence_number async for event in stream]
        response = await stream.get_final_response()

    assert numbers == list(range(len(numbers)))
    assert "1 2 3 4 5" == response.output_text

    raw = await sdk.responses.create(model=MODEL, input="Count from 1 to 5", stream=True)
    async for event in raw:
        EVENT.validate_python(event.model_dump(exclude_unset=True))


async def test_answer_is_parsed(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.parse(model=MODEL, input="Ada is 36", text_format=Person)

    assert response.output_parsed is not None
    assert 36 == response.output_parsed.age

    async with sdk.responses.stream(model=MODEL, input="Ada is 36", text_format=Person) as stream:
        streamed = await stream.get_final_response()

    assert streamed.output_parsed is not None
    assert 36 == streamed.output_parsed.age


async def test_function_is_called_and_its_result_used(sdk: openai.AsyncOpenAI) -> None:
    """By handing all items back, as clients do that keep nothing with OpenAI."""
    items: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = await sdk.responses.create(model=MODEL, input=items, tools=[WEATHER], store=False)
    call = call_in(first)
    items += first.output
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})

    second = await sdk.responses.create(model=MODEL, input=items, tools=[WEATHER], store=False)

    assert '{"city":"Paris"}' == call.arguments
    assert "sunny" in second.output_text


async def test_function_call_is_streamed(sdk: openai.AsyncOpenAI) -> None:
    async with sdk.responses.stream(model=MODEL, input="What is the weather in Paris?", tools=[WEATHER]) as stream:
        deltas = [event.delta async for event in stream if event.type == "response.function_call_arguments.delta"]
        call = call_in(await stream.get_final_response())

    assert len(deltas) > 1
    assert '{"city":"Paris"}' == call.arguments == "".join(deltas)


async def test_conversation_goes_on_by_id(sdk: openai.AsyncOpenAI) -> None:
    first = await sdk.responses.create(model=MODEL, input="My name is Ada.")
    second = await sdk.responses.create(model=MODEL, input="Hello!", previous_response_id=first.id)

    third = await sdk.responses.create(model=MODEL, input="What is my name?", previous_response_id=second.id)

    assert "Ada" == third.output_text
    assert second.id == third.previous_response_id


async def test_search_has_its_sources(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(
        model=MODEL,
        input="Who won?",
        tools=[{"type": "web_search"}],
        include=["web_search_call.action.sources"],
    )

    kinds = [item.type for item in response.output]
    assert "web_search_call" in kinds
    message = response.output[kinds.index("message")]
    assert message.type == "message"
    assert message.content[0].type == "output_text"
    assert "url_citation" == message.content[0].annotations[0].type


async def test_tokens_are_counted_without_an_answer(sdk: openai.AsyncOpenAI) -> None:
    """As many as the same question then costs, also where it goes on with an earlier response."""
    first = await sdk.responses.create(model=MODEL, input="My name is Ada.", instructions="Be brief.")
    assert first.usage is not None
    follow: Any = {"model": MODEL, "input": "What is my name?", "previous_response_id": first.id}

    alone = await sdk.responses.input_tokens.count(model=MODEL, input="My name is Ada.", instructions="Be brief.")
    both = await sdk.responses.input_tokens.count(**follow)
    second = await sdk.responses.create(**follow)

    assert "response.input_tokens" == alone.object
    assert first.usage.input_tokens == alone.input_tokens
    assert second.usage is not None
    assert second.usage.input_tokens == both.input_tokens > alone.input_tokens


async def test_record_is_that_of_responses(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """Metrics and logs tell responses from chat; the slots are those of the model."""
    gateway = await start_gateway(upstream_url=simulator.url)

    raw = await connect(gateway).responses.with_raw_response.create(model=MODEL, input="Hi", truncation="auto")

    assert "truncation" == raw.headers["x-gateway-ignored"]
    assert ("responses", MODEL, "ok", True) == (
        gateway.record.operation,
        gateway.record.model,
        gateway.record.outcome,
        gateway.record.usage_known,
    )
    assert 0 == gateway.slots


# Before a Zhipu that the test plays.


async def test_sealed_reasoning_comes_back_to_glm(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    """A client that keeps nothing with OpenAI hands the envelope back, and GLM gets its own words."""
    called = {"id": "c1", "index": 0, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    thought = {"reasoning_content": "Hm, Paris.", "tool_calls": [called]}
    zhipu.script += [whole("", finish_reason="tool_calls", **thought), whole("Sunny.")]
    first = await played.responses.create(
        model=MODEL, input="Hi", store=False, include=["reasoning.encrypted_content"], tools=[WEATHER]
    )
    reasoning, call = first.output
    assert isinstance(reasoning, ResponseReasoningItem)
    envelope: Any = {"type": "reasoning", "summary": [], "encrypted_content": reasoning.encrypted_content}
    result = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}

    items: Any = [{"role": "user", "content": "Hi"}, envelope, call, result]
    await played.responses.create(model=MODEL, input=items, store=False)

    assert "Hm, Paris." == zhipu.calls[1].body["messages"][1]["reasoning_content"]


async def test_stream_that_breaks_off_ends_in_a_failed_response(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script.append(lambda call: call.begin(chunk(content="Hel")))
    stream = await played.responses.create(model=MODEL, input="Hi", stream=True)
    await anext(stream)
    zhipu.calls[0].cut()

    *_, last = [event async for event in stream]

    assert last.type == "response.failed"
    assert last.response.error is not None
    assert "server_error" == last.response.error.code
    assert "Hel" == last.response.output_text


async def test_early_failure_is_an_http_error(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script.append(lambda call: call.refuse("1301", status=400))

    with pytest.raises(openai.BadRequestError) as caught:
        await played.responses.create(model=MODEL, input="Hi", stream=True)

    assert "content_filter" == caught.value.code


async def test_answer_that_was_cut_is_incomplete(played: openai.AsyncOpenAI, zhipu: Zhipu) -> None:
    zhipu.script.append(whole("Hel", finish_reason="length"))

    response = await played.responses.create(model=MODEL, input="Hi")

    assert "incomplete" == response.status
    assert response.incomplete_details is not None
    assert "max_output_tokens" == response.incomplete_details.reason


# Who may go on with what.


async def test_nobody_goes_on_with_anothers_response(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    """An id that another tenant holds is worth as much as one that never was."""
    gateway = await start_gateway(upstream_url=simulator.url, tenants=TWO_TENANTS)
    owner, stranger = connect(gateway), connect(gateway, api_key=OTHER_KEY)
    kept = await owner.responses.create(model=MODEL, input="My name is Ada.")

    for fields in (
        {"input": "Hi", "previous_response_id": kept.id},
        {"input": [{"type": "item_reference", "id": kept.output[0].id}]},
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            await stranger.responses.create(model=MODEL, **fields)
        assert "response_not_found" == caught.value.code


async def test_nothing_is_kept_where_the_operator_wants_none(
    start_gateway: StartGateway, simulator: Running, connect: Connect
) -> None:
    gateway = await start_gateway(upstream_url=simulator.url, responses=Responses(store_seconds=0))
    sdk = connect(gateway)
    first = await sdk.responses.create(model=MODEL, input="Hi")

    with pytest.raises(openai.NotFoundError):
        await sdk.responses.create(model=MODEL, input="Hi", previous_response_id=first.id)
