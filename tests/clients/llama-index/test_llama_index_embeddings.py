"""LlamaIndex's embeddings, its own for OpenAI and the one for what is like it, and a search over them."""

import os

import openai
import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding

TEXTS = ["The weather in Paris is sunny.", "Invoices are paid within thirty days.", "今天北京天气很好"]


def by_openai(**settings: object) -> OpenAIEmbedding:
    return OpenAIEmbedding(api_base=os.environ["OPENAI_BASE_URL"], max_retries=0, **settings)


def by_likeness(**settings: object) -> OpenAILikeEmbedding:
    settings = {"model_name": "embedding-3", "api_key": os.environ["OPENAI_API_KEY"], **settings}
    return OpenAILikeEmbedding(api_base=os.environ["OPENAI_BASE_URL"], max_retries=0, **settings)


@pytest.mark.parametrize("embedding", [by_openai(), by_likeness()], ids=["OpenAIEmbedding", "OpenAILikeEmbedding"])
class TestEmbedding:
    """What both do alike, with as few settings as they take."""

    def test_texts_are_embedded_in_order(self, embedding: BaseEmbedding) -> None:
        vectors = embedding.get_text_embedding_batch(TEXTS)

        assert vectors == [embedding.get_text_embedding(text) for text in TEXTS]
        assert {len(vector) for vector in vectors} == {2048}

    async def test_texts_are_embedded_asynchronously(self, embedding: BaseEmbedding) -> None:
        assert await embedding.aget_text_embedding_batch(TEXTS) == embedding.get_text_embedding_batch(TEXTS)
        assert await embedding.aget_query_embedding(TEXTS[0]) == embedding.get_query_embedding(TEXTS[0])

    def test_the_text_that_shares_words_is_found(self, embedding: BaseEmbedding) -> None:
        index = VectorStoreIndex.from_documents([Document(text=text) for text in TEXTS], embed_model=embedding)

        (found,) = index.as_retriever(similarity_top_k=1).retrieve("When are invoices paid?")

        assert found.text == TEXTS[1]


@pytest.mark.parametrize("make", [by_openai, by_likeness])
def test_dimensions_are_those_that_were_asked_for(make: type[BaseEmbedding]) -> None:
    name = {"model": "text-embedding-3-large"} if make is by_openai else {}

    assert len(make(dimensions=512, **name).get_text_embedding("tea")) == 512


def test_a_model_that_does_not_exist_is_named_as_the_fault() -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        by_likeness(model_name="embedding-nope").get_text_embedding("tea")

    assert caught.value.code == "model_not_found"
