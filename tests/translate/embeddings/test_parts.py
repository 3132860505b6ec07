"""Cutting into calls, and telling which input a refusal is about."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import EmbeddingTraits
from gateway.errors import ContentFiltered, GatewayError, InvalidRequest, UpstreamFailed
from gateway.translate.embeddings.parts import CAUTION, cut, estimated_tokens, explained

BY_COUNT = EmbeddingTraits(max_items=64, max_item_tokens=3072)
BY_SIZE = EmbeddingTraits(max_item_tokens=512, max_total_tokens=8192)


@given(st.lists(st.text(max_size=2000), max_size=300), st.sampled_from([BY_COUNT, BY_SIZE, EmbeddingTraits()]))
def test_parts_joined_are_the_texts(texts: list[str], traits: EmbeddingTraits) -> None:
    """Every text once, in order, and no call for nothing."""
    parts = cut(texts, traits=traits)

    assert texts == [text for part in parts for text in part]
    assert all(parts)


@given(st.lists(st.integers(0, 20_000).map("x".__mul__), max_size=40), st.integers(1, 8))
def test_parts_keep_to_every_limit(texts: list[str], max_items: int) -> None:
    """Only a text that is too large by itself makes a part too large."""
    traits = EmbeddingTraits(max_items=max_items, max_total_tokens=8192)

    for part in cut(texts, traits=traits):
        assert len(part) <= max_items
        assert len(part) == 1 or sum(CAUTION * estimated_tokens(text) for text in part) <= 8192


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (64, [64]), (65, [64, 1]), (2048, [64] * 32)],
)
def test_parts_are_as_few_as_can_be(count: int, sizes: list[int]) -> None:
    """64 texts fit one call of embedding-3."""
    assert sizes == [len(part) for part in cut(["text"] * count, traits=BY_COUNT)]


def test_parts_are_smaller_than_the_total_when_estimates_may_err() -> None:
    """Half of the 8K tokens of embedding-2 by estimate: eight texts of 500."""
    assert [8, 8, 4] == [len(part) for part in cut(["x" * 2000] * 20, traits=BY_SIZE)]


def test_all_go_in_one_call_when_the_model_has_no_limit() -> None:
    assert [["a"] * 500] == cut(["a"] * 500, traits=EmbeddingTraits())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("四个汉字", 3)],
)
def test_tokens_are_estimated_by_bytes(text: str, tokens: int) -> None:
    """Some four bytes each, in English and in Chinese."""
    assert tokens == estimated_tokens(text)


def explain(error: GatewayError, *part: str, **options: Any) -> GatewayError:
    places = {text: place for place, text in enumerate(["before", *part], 64)}
    return explained(error, part=part, places=places, model="embedding-3", traits=options.get("traits", BY_COUNT))


def refusal(**fields: Any) -> InvalidRequest:
    return InvalidRequest("GLM refuses the request: input (GLM 1210)", **({"glm_code": "1210"} | fields))


def test_longest_input_is_named_when_it_is_near_the_limit() -> None:
    """GLM names none; the limit is said, and what to do."""
    told = explain(refusal(), "short", "word " * 3000, "middling " * 20)

    assert isinstance(told, InvalidRequest)
    assert ("input[66]", "context_length_exceeded", "1210") == (told.param, told.code, told.glm_code)
    assert "'input[66]', which has about 3,750 tokens; embedding-3 takes at most 3,072" in told.message
    assert "(GLM 1210)" in told.message


def test_range_is_named_when_no_input_seems_too_long() -> None:
    """The inputs of the call that failed, and no others."""
    told = explain(refusal(), "one", "two", "three")

    assert "input" == told.param
    assert "one of 'input[65]' to 'input[67]'" in told.message
    assert "3,072 tokens" in told.message


def test_input_is_named_when_it_is_alone() -> None:
    assert "It is about 'input[65]'." in explain(refusal(), "one").message


def test_words_about_a_conversation_are_left_out_when_glm_says_the_prompt_is_too_long() -> None:
    """1261 is told in the words of embeddings."""
    error = InvalidRequest("The conversation is too long. (GLM 1261)", param="messages", glm_code="1261")

    told = explain(error, "word " * 3000)

    assert "input[65]" == told.param
    assert "conversation" not in told.message


def test_limit_is_left_out_when_the_model_has_none() -> None:
    told = explain(refusal(), "one", "two", traits=EmbeddingTraits())

    assert told.message.endswith("It is about one of 'input[65]' to 'input[66]'.")


def test_range_is_named_when_moderation_refuses() -> None:
    """GLM does not say which text is sensitive."""
    told = explain(ContentFiltered("Unsafe. (GLM 1301)", glm_code="1301"), "one", "two")

    assert isinstance(told, ContentFiltered)
    assert "1301" == told.glm_code
    assert "one of 'input[65]' to 'input[66]'" in told.message


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(UpstreamFailed("GLM failed.", glm_code="500"), id="GLM's fault"),
        pytest.param(InvalidRequest("Not from GLM.", param="x"), id="our own refusal"),
        pytest.param(refusal(param="request_id", glm_code="1231"), id="used request id"),
    ],
)
def test_error_stays_when_it_is_not_about_the_texts(error: GatewayError) -> None:
    assert error is explain(error, "word " * 3000)
