"""OpenAI's model list."""

import msgspec
from openai.types import Model as SdkModel

from gateway.openai.models import ListModelsResponse, Model


def test_list_is_what_the_sdk_reads() -> None:
    """Every field the SDK requires is there, under its name."""
    body = msgspec.json.decode(
        msgspec.json.encode(ListModelsResponse(data=[Model(id="glm-4.7", created=1, owned_by="zhipu")]))
    )

    assert body["object"] == "list"
    assert SdkModel.model_validate(body["data"][0], strict=True).id == "glm-4.7"
