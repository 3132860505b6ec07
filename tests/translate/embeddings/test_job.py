"""A request as calls, and their answers as one."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest, UpstreamProtocolError
from gateway.glm.chat import Usage
from gateway.translate.embeddings.job import EmbeddingsJob
from tests.translate.embeddings.jobs import answer_of, begin_job

NUMBERED = [f"text {one}" for one in range(130)]


def sent(job: EmbeddingsJob) -> list[dict[str, Any]]:
    return [msgspec.json.decode(call.body) for call in job.calls]


def told(job: EmbeddingsJob) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(job.result())
    return answer


def answer_call(job: EmbeddingsJob, index: int) -> None:
    """Answer a call with the number that is in each of its texts, and a token more than the call before."""
    texts = sent(job)[index]["input"]
    job.receive(index, answer_of([[float(text.split()[1])] for text in texts], tokens=index + 1))


def answered(job: EmbeddingsJob) -> EmbeddingsJob:
    for index in range(len(job.calls)):
        answer_call(job, index)
    return job


def test_answer_is_openais() -> None:
    """Without ``completion_tokens``, and with the model that served it."""
    job = answered(begin_job(model="text-embedding-3-large", input="text 5"))

    assert {
        "object": "list",
        "model": "embedding-3",
        "data": [{"object": "embedding", "index": 0, "embedding": [5.0]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    } == told(job)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=400), st.randoms(use_true_random=False))
def test_every_input_has_its_vector_when_calls_are_many(numbers: list[int], chance: random.Random) -> None:
    """In whatever order they are answered; the same text is asked for once."""
    job = begin_job(input=[f"text {one}" for one in numbers])
    calls = sent(job)
    order = list(range(len(calls)))
    chance.shuffle(order)
    for index in order:
        answer_call(job, index)
    answer = told(job)

    assert [[float(one)] for one in numbers] == [one["embedding"] for one in answer["data"]]
    assert list(range(len(numbers))) == [one["index"] for one in answer["data"]]
    assert [f"text {one}" for one in dict.fromkeys(numbers)] == [text for call in calls for text in call["input"]]
    assert sum(range(len(calls) + 1)) == answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"]
    assert all(len(call["input"]) <= 64 for call in calls)


def test_request_id_goes_with_the_first_call_only() -> None:
    """GLM takes an id once; the dimensions go with every call."""
    job = begin_job(input=NUMBERED, dimensions=256, request_id="mine-1")

    assert [
        ("mine-1", 256),
        (None, 256),
        (None, 256),
    ] == [(call.get("request_id"), call["dimensions"]) for call in sent(job)]


def test_usage_is_known_when_one_call_told_it() -> None:
    """What was answered is counted, even if another call fails."""
    job = begin_job(input=NUMBERED)
    assert job.usage is None

    answer_call(job, 1)
    job.receive(0, answer_of([[0]] * 64, usage=None))

    assert Usage(prompt_tokens=2, total_tokens=2) == job.usage


def test_usage_is_zero_when_glm_does_not_tell() -> None:
    """OpenAI's clients expect numbers."""
    job = begin_job(input="a")
    job.receive(0, answer_of([[0]], usage=None))

    assert {"prompt_tokens": 0, "total_tokens": 0} == told(job)["usage"]


def test_total_is_made_up_when_glm_leaves_it_out() -> None:
    job = begin_job(input=NUMBERED[:65])
    job.receive(0, answer_of([[0]] * 64, usage={"prompt_tokens": 5}))
    job.receive(1, answer_of([[0]], usage={"prompt_tokens": 7}))

    assert {"prompt_tokens": 12, "total_tokens": 12} == told(job)["usage"]


def test_answer_of_another_call_is_not_taken() -> None:
    """It has a vector too many, and would shift all others."""
    with pytest.raises(UpstreamProtocolError):
        begin_job(input=NUMBERED[:65]).receive(1, answer_of([[0]] * 64))


def test_input_is_named_when_glm_refuses_its_call() -> None:
    """By its index in the request, where its text stands first."""
    long = "word " * 3000
    job = begin_job(input=[*["text 0"] * 10, *NUMBERED, long, long])

    error = job.explain(2, InvalidRequest("GLM refuses the request (GLM 1210)", glm_code="1210"))

    assert "input[140]" == error.param


# --- Vectors that are remembered --------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_vectors_are_recalled_as_they_were_answered(encoding: str | None) -> None:
    """To the byte, without a call and without tokens."""
    fields: dict[str, Any] = {"input": ["text 1", "text 2"], "encoding_format": encoding, "remembers": True}
    first = answered(begin_job(**fields))

    again = begin_job(**fields, recalled=first.leave)

    assert [] == again.calls
    assert told(first)["data"] == told(again)["data"]
    assert {"prompt_tokens": 0, "total_tokens": 0} == told(again)["usage"]
    assert Usage() == again.usage
    assert {} == again.leave


def test_only_new_texts_are_asked_for_when_others_are_recalled() -> None:
    """And only their vectors are left behind."""
    first = answered(begin_job(input=["text 1", "text 2"], remembers=True))

    mixed = answered(
        begin_job(input=["text 3", "text 2", "text 1", "text 3"], remembers=True, recalled=first.leave)
    )

    assert [["text 3"]] == [call["input"] for call in sent(mixed)]
    assert [[3.0], [2.0], [1.0], [3.0]] == [one["embedding"] for one in told(mixed)["data"]]
    assert 1 == len(mixed.leave)
    assert not mixed.leave.keys() & first.leave.keys()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"dimensions": 256}, id="of another size"),
        pytest.param({"encoding_format": "base64"}, id="of another form"),
        pytest.param({"input": "text 10"}, id="of another text"),
        pytest.param({"model": "embedding-2"}, id="of another model"),
    ],
)
def test_vector_is_not_recalled_when_it_is_another(other: dict[str, Any]) -> None:
    """The key holds all that makes a vector what it is."""
    first = answered(begin_job(input="text 1", remembers=True))

    fields: dict[str, Any] = {"input": "text 1"} | other
    assert 1 == len(begin_job(**fields, remembers=True, recalled=first.leave).calls)


def test_nothing_is_left_when_vectors_are_not_remembered() -> None:
    assert {} == answered(begin_job(input="text 1")).leave
