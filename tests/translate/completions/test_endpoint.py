"""Prompts become questions, and answers bare texts."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

import gateway
from gateway.catalog import Catalog
from gateway.errors import InvalidRequest
from gateway.translate.completions.endpoint import begin, read
from gateway.translate.completions.job import CompletionJob
from gateway.translate.endpoint import Context

CATALOG = Catalog.parse((Path(gateway.__file__).parent / "catalog.toml").read_text("utf-8"))


def start(**fields: Any) -> CompletionJob:
    incoming = read(msgspec.json.encode({"model": "glm-4.7", "prompt": "Once"} | fields))
    return begin(incoming, Context(model=CATALOG.resolve(incoming.model), id="0123456789abcdef", created=1))


def sent(**fields: Any) -> list[dict[str, Any]]:
    return [msgspec.json.decode(call.body) for call in start(**fields).calls]


def chunk(**choice: Any) -> bytes:
    return msgspec.json.encode({"choices": [{"index": 0, **choice}]})


def test_prompt_is_a_question_and_thinking_is_off() -> None:
    (body,) = sent(max_tokens=16, temperature=0, user="u")

    assert [{"role": "user", "content": "Once"}] == body["messages"]
    assert {"type": "disabled"} == body["thinking"]
    assert (16, False, "user-u") == (body["max_tokens"], body["do_sample"], body["user_id"])


def test_thinking_is_on_for_who_says_so() -> None:
    (body,) = sent(thinking={"type": "enabled"})

    assert {"type": "enabled"} == body["thinking"]


def test_every_text_is_a_call() -> None:
    """In the order of OpenAI's choices: all of one prompt, then all of the next; the id goes once."""
    bodies = sent(prompt=["a", "b"], n=2, request_id="mine-1234")

    assert ["a", "a", "b", "b"] == [body["messages"][0]["content"] for body in bodies]
    assert ["mine-1234", None, None, None] == [body.get("request_id") for body in bodies]


def test_answers_are_texts() -> None:
    job = start(prompt=["a", "b"])
    for index, (text, reason) in enumerate([("A", "stop"), ("B", "length")]):
        message = {"role": "assistant", "content": text, "reasoning_content": "Hm"}
        job.receive(index, chunk(message=message, finish_reason=reason))

    told = msgspec.json.decode(job.result())

    assert ("text_completion", "cmpl-0123456789abcdef") == (told["object"], told["id"])
    assert [
        {"text": "A", "index": 0, "finish_reason": "stop", "logprobs": None},
        {"text": "B", "index": 1, "finish_reason": "length", "logprobs": None},
    ] == told["choices"]


@pytest.mark.parametrize("include_usage", [True, False])
def test_texts_are_streamed_without_thoughts(*, include_usage: bool) -> None:
    job = start(stream=True, stream_options={"include_usage": include_usage})
    stream = job.stream(0)
    pieces = [chunk(delta={"reasoning_content": "Hm"}), chunk(delta={"content": "A"})]

    out = stream.feed([*pieces, chunk(delta={}, finish_reason="stop"), b"[DONE]"]) + stream.finish() + job.close()

    *chunks, end = [block.removeprefix("data: ") for block in out.decode().split("\n\n")[:-1]]
    told = [msgspec.json.decode(one) for one in chunks]
    assert "[DONE]" == end
    assert ["A", ""] == [one["choices"][0]["text"] for one in told if one["choices"]]
    assert "stop" == told[1]["choices"][0]["finish_reason"]
    assert include_usage is any(one.get("usage") for one in told)
    assert include_usage is all("usage" in one for one in told)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "end"}, "suffix"),
        ({"echo": True}, "echo"),
        ({"logprobs": 1}, "logprobs"),
        ({"best_of": 3}, "best_of"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a"] * 64, "n": 3}, "n"),
        ({"stop": ["a", "b"]}, "stop"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        start(**fields)

    assert param == (caught.value.param or "").partition("[")[0]


def test_what_asks_for_nothing_passes() -> None:
    assert [] == start(suffix="", echo=False, best_of=1, frequency_penalty=0, logit_bias={}).ignored
    assert ["seed"] == start(seed=1).ignored
