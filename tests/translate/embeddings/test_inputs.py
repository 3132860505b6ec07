"""The forms of ``input``, and what is wrong with those that are none."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.translate.embeddings.inputs import MAX_INPUTS, texts_of
from gateway.translate.embeddings.tokens import Vocabulary, VocabularyName

ABC = Vocabulary(b"YQ== 0\nYg== 1\nYw== 2\n", special={"<|end|>": 9})


def texts(value: Any, *, model: str = "embedding-3") -> list[str]:
    return texts_of(value, model=model, find_vocabulary=lambda _: ABC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("hello", ["hello"], id="text"),
        pytest.param(["b", "a", "b"], ["b", "a", "b"], id="texts"),
        pytest.param([0, 1, 2], ["abc"], id="token ids of a text"),
        pytest.param([[2], [0, 0]], ["c", "aa"], id="token ids of texts"),
        pytest.param([" "], [" "], id="blank"),
        pytest.param(["x"] * MAX_INPUTS, ["x"] * MAX_INPUTS, id="as many as allowed"),
        pytest.param([0] * (MAX_INPUTS + 1), ["a" * (MAX_INPUTS + 1)], id="a text of many ids"),
    ],
)
def test_every_form_becomes_texts(value: Any, expected: list[str]) -> None:
    """In the order of the request."""
    assert expected == texts(value)


@pytest.mark.parametrize(
    ("value", "param", "said"),
    [
        pytest.param("", "input", "is empty", id="empty text"),
        pytest.param([], "input", "array is empty", id="no texts"),
        pytest.param(["a", ""], "input[1]", "is empty", id="empty text among others"),
        pytest.param([[0], []], "input[1]", "is empty", id="no ids"),
        pytest.param(["a"] * (MAX_INPUTS + 1), "input", "2049 inputs", id="too many"),
        pytest.param(
            ["a", 1], "input[1]", "a string like the items before it, got an integer", id="id after text"
        ),
        pytest.param(
            [0, "a"], "input[1]", "an integer like the items before it, got a string", id="text after id"
        ),
        pytest.param([[0], "a"], "input[1]", "an array like the items before it", id="text after ids"),
        pytest.param(["a", ["b"]], "input[1]", "got an array", id="texts in texts"),
        pytest.param([None], "input[0]", "a string or an array of token ids, got null", id="null"),
        pytest.param([{"text": "a"}], "input[0]", "got an object", id="object"),
        pytest.param([True], "input[0]", "got a boolean", id="boolean"),
        pytest.param([0, 1.5], "input[1]", "got a number with a fraction", id="fraction"),
        pytest.param([[0], [0, "b"]], "input[1][1]", "a token id, got a string", id="text among ids"),
        pytest.param([[0, True]], "input[0][1]", "a token id, got a boolean", id="boolean among ids"),
        pytest.param([0, 5], "input[1]", "no token with this id", id="unknown id"),
        pytest.param([[0], [1, -1]], "input[1][1]", "no token with this id", id="negative id"),
    ],
)
def test_wrong_item_is_named(value: Any, param: str, said: str) -> None:
    """A 400 that says which item, and what would be right."""
    with pytest.raises(InvalidRequest) as raised:
        texts(value)

    assert param == raised.value.param
    assert said in raised.value.message
    assert param in raised.value.message


@pytest.mark.parametrize(
    ("model", "expected"), [("text-embedding-3-small", "cl100k_base"), ("gpt-4o", "o200k_base")]
)
def test_ids_are_read_with_the_vocabulary_of_the_name(model: str, expected: VocabularyName) -> None:
    """An operator may have given a chat model's name to an embedding model."""
    asked: list[VocabularyName] = []

    def find(name: VocabularyName) -> Vocabulary:
        asked.append(name)
        return ABC

    texts_of([[0], [1]], model=model, find_vocabulary=find)

    assert [expected] == asked


def test_no_vocabulary_is_read_when_no_ids_came() -> None:
    """Most callers send text, and do not pay for the tables."""

    def find(name: VocabularyName) -> Vocabulary:
        raise AssertionError(name)

    assert ["a"] == texts_of(["a"], model="embedding-3", find_vocabulary=find)
