"""The packaged vocabularies are OpenAI's own."""

import gzip
from hashlib import sha256
from importlib.resources import files
from typing import get_args

import pytest

from gateway.translate.embeddings.tokens import VocabularyName
from gateway.vocabularies import read_vocabulary

PUBLISHED = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""The sums that ``tiktoken_ext.openai_public`` demands of what it downloads."""


def test_every_vocabulary_is_packaged() -> None:
    assert set(get_args(VocabularyName)) == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_file_has_the_published_sum(name: str) -> None:
    """Nothing was added to OpenAI's file, and nothing lost."""
    packed = files("gateway.vocabularies").joinpath(f"{name}.tiktoken.gz").read_bytes()

    assert PUBLISHED[name] == sha256(gzip.decompress(packed)).hexdigest()


@pytest.mark.parametrize(
    ("name", "ids", "text"),
    [
        ("cl100k_base", [15339, 1917], "hello world"),
        ("cl100k_base", [57668, 53901, 3922, 3574, 244, 98220, 6447], "你好，世界！"),
        ("cl100k_base", [15339, 100257], "hello<|endoftext|>"),
        ("cl100k_base", [100276], "<|endofprompt|>"),
        ("o200k_base", [24912, 2375], "hello world"),
        ("o200k_base", [199999, 200018], "<|endoftext|><|endofprompt|>"),
    ],
)
def test_ids_are_the_text_that_was_cut_into_them(name: VocabularyName, ids: list[int], text: str) -> None:
    """The ids are tiktoken's."""
    assert text == read_vocabulary(name).decode(ids)


def test_file_is_read_once() -> None:
    assert read_vocabulary("cl100k_base") is read_vocabulary("cl100k_base")
