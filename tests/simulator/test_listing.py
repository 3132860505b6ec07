"""The platform's list of models."""

from collections.abc import Callable

import httpx

from gateway.simulator import Running


def test_list_has_paid_text_models_only(zhipu: Running, connect: Callable[..., httpx.Client]) -> None:
    """Free models and those for pictures and voice work, but are not named."""
    body = connect(zhipu).get("/models").json()

    names = [model["id"] for model in body["data"]]
    assert body["object"] == "list"
    assert {"glm-4.7", "glm-4.6", "glm-5.2"} <= set(names)
    assert not {"glm-4.7-flash", "glm-4.6v", "glm-4-voice"} & set(names)
    assert {tuple(model) for model in body["data"]} == {("id", "object", "created", "owned_by")}


def test_list_needs_a_key(zhipu: Running) -> None:
    """Nobody lists models without an account."""
    assert httpx.get(f"{zhipu.url}/models").status_code == 401
