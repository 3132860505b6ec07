"""Counting: what Zhipu's tokenizer is asked, and what becomes of its answer."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import ContentFiltered, UpstreamProtocolError
from gateway.translate.endpoint import Context, Incoming
from gateway.translate.responses.counting import CountJob
from gateway.translate.responses.endpoint import input_tokens_endpoint
from tests.translate.responses.conftest import CATALOG, CREATED, SEALER, function

ENDPOINT = input_tokens_endpoint(SEALER)
CALL = {"type": "function_call", "call_id": "c", "name": "look_up", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "sunny"}
PICTURE = {"type": "input_image", "image_url": "https://example.com/a.png"}


def read(**fields: Any) -> Incoming:
    return ENDPOINT.read(msgspec.json.encode({"model": "glm-4.7", "input": "Hello"} | fields))


def start(**fields: Any) -> CountJob:
    incoming = read(**fields)
    context = Context(model=CATALOG.resolve(incoming.model), id="0", created=CREATED, tenant="team")
    job = ENDPOINT.begin(incoming, context)
    assert isinstance(job, CountJob)
    return job


def sent(**fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(start(**fields).calls[0].body)
    return body


def test_conversation_is_counted_in_roles_that_the_tokenizer_has() -> None:
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    items = [{"role": "user", "content": "Hi"}, thought, CALL, RESULT]

    body = sent(input=items, instructions="Be brief.", tools=[function()])

    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hm.\nlook_up {}"},
        {"role": "user", "content": "sunny"},
    ]
    assert ["look_up"] == [tool["function"]["name"] for tool in body["tools"]]


@pytest.mark.parametrize(("kept", "said"), [(False, "Yes."), (True, "Hm.\nYes.")])
def test_thoughts_behind_earlier_answers_count_where_glm_keeps_them(kept: bool, said: str) -> None:  # noqa: FBT001
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    answer = {"role": "assistant", "content": "Yes."}
    items = [{"role": "user", "content": "Hi"}, thought, answer, {"role": "user", "content": "Why?"}]

    body = sent(input=items, thinking={"type": "enabled", "clear_thinking": not kept})

    assert said == body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("model", "asked"), [("glm-4.7", "glm-4.6"), ("glm-4.5-air", "glm-4.5-air"), ("glm-4.5v", "glm-4.6v")]
)
def test_tokenizer_is_that_of_the_nearest_model(model: str, asked: str) -> None:
    assert asked == sent(model=model)["model"]


def test_what_only_steers_the_answer_is_not_sent() -> None:
    body = sent(temperature=0.5, stream=True, store=False, tools=[{"type": "web_search"}])

    assert {"model", "messages"} == body.keys()
    assert not read(stream=True).stream


@pytest.mark.parametrize(
    ("usage", "tokens"), [({"prompt_tokens": 7}, 7), ({"prompt_tokens": 7, "total_tokens": 1031}, 1031)]
)
def test_count_is_told(usage: dict[str, int], tokens: int) -> None:
    job = start()

    job.receive(0, msgspec.json.encode({"id": "1", "usage": usage}))

    assert {"object": "response.input_tokens", "input_tokens": tokens} == msgspec.json.decode(job.result())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"{}", UpstreamProtocolError),
        (b"<html>", UpstreamProtocolError),
        (b'{"error":{"code":"1301","message":"no"}}', ContentFiltered),
    ],
)
def test_answer_without_a_count_is_an_error(answer: bytes, error: type[Exception]) -> None:
    receive: Callable[[int, bytes], None] = start().receive

    with pytest.raises(error):
        receive(0, answer)
