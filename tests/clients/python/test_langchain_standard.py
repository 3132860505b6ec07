"""LangChain's own standard tests of a chat model, on a text model and on one that sees."""

from typing import ClassVar

import httpx
import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests


class TestTextModel(ChatModelIntegrationTests):
    """A model of text, with tools and JSON."""

    chat_model_class = ChatOpenAI
    chat_model_params: ClassVar = {"model": "glm-4.7", "stream_usage": True}
    supports_json_mode = True
    model_override_value = "glm-4.6"
    supported_usage_metadata_details: ClassVar = {
        "invoke": ["reasoning_output", "cache_read_input"],
        "stream": ["reasoning_output", "cache_read_input"],
    }

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._ask("What is 6 * 7?", stream=stream)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        return self._ask("Hello. " * 500, stream=stream)

    def _ask(self, question: str, *, stream: bool) -> AIMessage:
        model = self.chat_model_class(**self.chat_model_params)
        if not stream:
            return model.invoke(question)
        first, *others = model.stream(question)
        return sum(others, first)


class TestSeeingModel(TestTextModel):
    """A model that takes pictures too, and has no JSON mode of its own."""

    chat_model_params: ClassVar = {"model": "glm-4.6v", "stream_usage": True}
    model_override_value = "glm-4.7"
    supports_image_inputs = True
    supports_image_urls = True

    @pytest.fixture(autouse=True)
    def library_of_pictures(self, monkeypatch: pytest.MonkeyPatch, picture: bytes) -> None:
        """Give the tests a picture of ours where they would fetch one from the network."""
        monkeypatch.setattr(httpx, "get", lambda *_args, **_settings: httpx.Response(200, content=picture))
