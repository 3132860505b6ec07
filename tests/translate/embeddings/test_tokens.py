"""Ids to text, over a vocabulary small enough to read."""

from base64 import b64encode
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.embeddings.tokens import UnknownTokenError, Vocabulary, vocabulary_for

TOKENS = [bytes([byte]) for byte in range(256)] + [b"he", b"llo", "é".encode(), b" wor"]
RANKS = b"".join(b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate(TOKENS))
END = 262
"""Leaves a gap of two ids, as OpenAI's vocabularies have some."""


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(RANKS, special={"<|end|>": END})


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param([256, 257], "hello", id="tokens"),
        pytest.param([0xC3, 0xA9, 258], "éé", id="a character of two tokens"),
        pytest.param([0xC3, 257], "\ufffdllo", id="half a character"),
        pytest.param([256, END], "he<|end|>", id="special token"),
    ],
)
def test_ids_become_text(vocabulary: Vocabulary, ids: list[int], text: str) -> None:
    """Tokens are bytes; only all of them together are text."""
    assert text == vocabulary.decode(ids)


@pytest.mark.parametrize(
    ("ids", "position"),
    [
        pytest.param([256, 260], 1, id="in the gap"),
        pytest.param([END + 1, 256], 0, id="past the last"),
        pytest.param([256, 257, -1], 2, id="negative"),
        pytest.param([256, -10_000], 1, id="very negative"),
        pytest.param([2**70], 0, id="beyond 64 bits"),
        pytest.param([261, -1], 0, id="the first of several"),
    ],
)
def test_first_unknown_id_is_told(vocabulary: Vocabulary, ids: list[int], position: int) -> None:
    """Also where Python would count from the end, or gives up."""
    with pytest.raises(UnknownTokenError) as raised:
        vocabulary.decode(ids)

    assert position == raised.value.position


@given(st.text())
def test_bytes_of_a_text_are_the_text_again(text: str) -> None:
    """Whatever the text is."""
    ids: Sequence[int] = list(text.encode())

    assert text == Vocabulary(RANKS, special={"<|end|>": END}).decode(ids)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("embedding-3", "cl100k_base"),
        ("text-embedding-3-large", "cl100k_base"),
        ("text-embedding-ada-002", "cl100k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4o", "o200k_base"),
        ("GPT-4.1-mini", "o200k_base"),
        ("gpt-5-embed", "o200k_base"),
        ("o3-mini", "o200k_base"),
    ],
)
def test_vocabulary_is_that_of_the_name_the_caller_used(model: str, name: str) -> None:
    """As tiktoken and LangChain choose it."""
    assert name == vocabulary_for(model)
