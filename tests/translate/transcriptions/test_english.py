"""The texts in what a chat model says."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translate.transcriptions.english import texts_in

TEXTS = st.lists(st.text(min_size=1), min_size=1).filter(lambda texts: any(text.strip() for text in texts))


@given(texts=TEXTS, is_bare=st.booleans(), is_fenced=st.booleans())
def test_texts_are_what_was_said(texts: list[str], *, is_bare: bool, is_fenced: bool) -> None:
    """Whatever brackets, quotes and fences are in them."""
    said = msgspec.json.encode(texts if is_bare else {"texts": texts}).decode()

    assert texts == texts_in(f"```json\n{said}\n```" if is_fenced else said)


@given(said=st.text() | st.text(alphabet='{}[]"\\:, `texts'))
def test_anything_is_read(said: str) -> None:
    texts = texts_in(said)

    assert texts is None or texts


@pytest.mark.parametrize(
    "said",
    [
        "Hello.",
        "```\nHello.\n```",
        '{"texts": ["Hel',
        '{"texts": []}',
        '{"texts": [" "]}',
        '{"texts": "Hello."}',
        '{"zh": ["你好"]}',
        "[1]",
        '{"a": ' * 5000 + "1" + "}" * 5000,
    ],
)
def test_what_is_no_translation_is_none(said: str) -> None:
    assert texts_in(said) is None
