"""OpenAI's chat vocabulary is the whole one, as its official SDK knows it."""

from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from pydantic import BaseModel

from gateway.openai.chat import answers, chunks
from gateway.openai.chat.requests import CreateChatCompletionRequest

GLM_EXTRAS = {"do_sample", "request_id", "thinking", "tool_stream", "user_id", "watermark_enabled"}


def fields(kind: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_request_has_every_parameter_of_the_sdk_and_zhipus_extras() -> None:
    """A parameter that OpenAI adds fails here until it has a field, and so a fate."""
    sdk = {*get_type_hints(CompletionCreateParamsBase), "stream"}

    assert fields(CreateChatCompletionRequest) == sdk | GLM_EXTRAS


@pytest.mark.parametrize(("kind", "model"), [("message", ChatCompletion), ("delta", ChatCompletionChunk)])
def test_answer_has_no_field_that_the_sdk_does_not_know(kind: str, model: type[BaseModel]) -> None:
    """But for ``reasoning_content``, which is GLM's and which many clients show."""
    (choice,) = get_args(model.model_fields["choices"].annotation)
    known = set(choice.model_fields[kind].annotation.model_fields)
    ours: dict[str, type] = {"message": answers.ChatCompletionResponseMessage, "delta": chunks.Delta}

    assert fields(ours[kind]) - known <= {"reasoning_content", "annotations"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (chunks.Delta(), {}),
        (chunks.Delta(role="assistant", content=""), {"role": "assistant", "content": ""}),
        (
            answers.ChatCompletionResponseMessage(content=None),
            {"role": "assistant", "content": None, "refusal": None},
        ),
        (
            chunks.ChunkChoice(index=0, delta=chunks.Delta()),
            {"index": 0, "delta": {}, "finish_reason": None, "logprobs": None},
        ),
    ],
    ids=["empty delta", "first delta", "message", "chunk choice"],
)
def test_absent_is_absent_and_null_is_null(value: Any, expected: dict[str, Any]) -> None:
    """Keys the spec requires are there as null, optional ones are absent."""
    assert expected == msgspec.json.decode(msgspec.json.encode(value))
