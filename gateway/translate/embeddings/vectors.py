"""Vectors from GLM's numbers to the form that the caller wants: an array or base64, whole or shortened."""

import math
import sys
from array import array
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.glm import embeddings as glm
from gateway.glm.chat import Usage
from gateway.openai.embeddings import EncodingFormat, Vector
from gateway.translate.answers import reader_of
from gateway.translate.errors import unreadable

read_numbers = reader_of(glm.EmbeddingAnswer[list[float]])
read_untouched = reader_of(glm.EmbeddingAnswer[Raw])
encode = msgspec.json.Encoder().encode

OPENING_BRACKET = ord("[")


class Form(Struct, frozen=True):
    """How vectors are read from GLM's answer and written into ours; ``write`` takes what ``read`` gives."""

    read: Callable[[bytes], glm.EmbeddingAnswer[Any]]
    write: Callable[[Any], Vector]


def form_of(encoding: EncodingFormat | None, *, cut_to: int | None) -> Form:
    """Return the form for an ``encoding_format``; ``cut_to`` None leaves the vectors as long as they are."""
    if encoding == "base64":
        if cut_to is None:
            return Form(read_numbers, base64_of)
        return Form(read_numbers, lambda numbers: base64_of(shortened(numbers, dimensions=cut_to)))
    if cut_to is None:
        return Form(read_untouched, array_of)
    return Form(read_numbers, lambda numbers: Raw(encode(shortened(numbers, dimensions=cut_to))))


def base64_of(numbers: list[float]) -> str:
    """
    Return little-endian float32 in base64, as OpenAI's SDKs decode it.

    Each is the float32 nearest to the number that a JSON parser reads, so an SDK that asks for base64 gets what
    it would have made of an array.
    """
    packed = array("f", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return b64encode(packed).decode("ascii")


def array_of(untouched: Raw) -> Raw:
    """
    Return GLM's array with its own digits, without reading them: that would be most of the cost of a request.

    Raises UpstreamProtocolError when it is none.
    """
    if memoryview(untouched)[0] != OPENING_BRACKET:
        raise unreadable()
    return untouched


def shortened(numbers: list[float], *, dimensions: int) -> list[float]:
    """
    Return the first ``dimensions`` numbers, at length 1 again.

    So OpenAI's guide on embeddings tells its users to shorten vectors of models that were trained for it.
    """
    if len(numbers) < dimensions:
        raise unreadable()
    kept = numbers[:dimensions]
    length = math.hypot(*kept) or 1.0
    return [number / length for number in kept]


def read_vectors(body: bytes, *, form: Form, count: int) -> tuple[list[Vector], Usage | None]:
    """
    Return the vectors of ``count`` texts in the order of the texts, and what they used.

    Raises the error that the answer carries, or UpstreamProtocolError when it cannot be read or does not hold
    one vector for each text: both GLM's fault.
    """
    answer = form.read(body)
    found = {at if one.index is None else one.index: one.embedding for at, one in enumerate(answer.data)}
    if len(answer.data) != count or found.keys() != set(range(count)):
        raise unreadable()
    return [form.write(found[at]) for at in range(count)], answer.usage
