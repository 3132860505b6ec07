"""LangChain's ``OpenAIEmbeddings``, which sends token ids by default, and LangChain's own standard tests of it."""

import math
from typing import Any, ClassVar

import openai
import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests

TEXTS = ["The weather in Paris is sunny.", "今天北京天气很好 🌤", "Invoices are paid within thirty days."]


def embeddings(**settings: object) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(**{"model": "embedding-3", "max_retries": 0, **settings})


def test_token_ids_reach_glm_as_the_texts_they_were_cut_from(simulator: Any) -> None:
    vectors = embeddings().embed_documents(TEXTS)

    assert simulator.last_request()["input"] == TEXTS
    assert vectors == embeddings(check_embedding_ctx_length=False).embed_documents(TEXTS)
    assert {len(vector) for vector in vectors} == {2048}


def test_nothing_has_to_be_said_at_all(simulator: Any) -> None:
    assert len(OpenAIEmbeddings().embed_query("tea")) == 2048
    assert simulator.last_request()["model"] == "embedding-3"


def test_dimensions_are_those_that_were_asked_for() -> None:
    assert len(embeddings(dimensions=256).embed_query("tea")) == 256


async def test_hundreds_of_texts_keep_their_order() -> None:
    texts = [f"text number {number}" for number in range(200)]

    vectors = await embeddings(dimensions=256).aembed_documents(texts)

    assert vectors[150] == await embeddings(dimensions=256).aembed_query("text number 150")
    assert len(vectors) == 200


def test_a_long_document_is_cut_where_glm_ends() -> None:
    vector = embeddings(embedding_ctx_length=3072).embed_query("word " * 4000)

    assert math.hypot(*vector) == pytest.approx(1)


def test_a_document_is_named_when_it_is_too_long_for_glm() -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        embeddings().embed_documents(["tea", "word " * 4000])

    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input[1]")


def test_the_text_that_shares_words_is_found() -> None:
    store = InMemoryVectorStore.from_texts(TEXTS, embeddings())

    (found,) = store.similarity_search("When are invoices paid?", k=1)

    assert found.page_content == TEXTS[2]


class TestStandard(EmbeddingsIntegrationTests):
    """LangChain's own tests of embeddings."""

    embeddings_class = OpenAIEmbeddings
    embedding_model_params: ClassVar = {"model": "embedding-3"}
