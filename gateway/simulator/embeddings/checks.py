"""
What an embeddings request may hold: every field, its range, and the code it is refused with.

Source: docs.bigmodel.cn, text embedding reference (OpenAPI of 2026-07), and the wording that callers report for
more than 64 texts. ``encoding_format``, ``user``, ``request_id`` and ``sensitive_word_check`` are in Zhipu's own
SDKs only, and have no effect but that an id counts as used.
"""

from collections.abc import Mapping
from typing import Any

from gateway.simulator.embeddings.models import EmbeddingModel
from gateway.simulator.fields import Check, Fields, anything, check_fields, length
from gateway.simulator.refusals import Refusal, Wording
from gateway.simulator.tokens import count

_TOO_MANY = Wording("input数组最大不得超过{0}条", "The input array must not exceed {0} items")


def check_embeddings(fields: Fields, *, model: EmbeddingModel) -> None:
    """Refuse a request the platform would refuse; fields that are null count as absent."""
    check_fields(fields, model=model, checks=_CHECKS, required=("input",))


def texts_of(value: str | list[str]) -> list[str]:
    """Return the texts of an ``input`` that was checked."""
    return [value] if isinstance(value, str) else value


def _input(name: str, value: Any, model: EmbeddingModel) -> None:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Refusal("1214", name)
    if model.items is not None and len(texts) > model.items:
        raise Refusal("1214", str(model.items), wording=_TOO_MANY)
    tokens = [count(text) for text in texts]
    # Which text is too long is not said.
    if max(tokens) > model.item_tokens:
        raise Refusal("1210", f"{name}: [1, {model.item_tokens}] tokens")
    if model.total_tokens is not None and sum(tokens) > model.total_tokens:
        raise Refusal("1210", f"{name}: [1, {model.total_tokens}] tokens in total")


def _dimensions(name: str, value: Any, model: EmbeddingModel) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal("1214", name)
    if value not in model.dimensions:
        raise Refusal("1210", f"{name}: {', '.join(map(str, model.dimensions))}")


_CHECKS: Mapping[str, Check[EmbeddingModel]] = {
    "model": anything,
    "input": _input,
    "dimensions": _dimensions,
    "encoding_format": anything,
    "user": anything,
    "request_id": length(6, 64),
    "sensitive_word_check": anything,
}
