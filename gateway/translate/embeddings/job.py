"""One embeddings request as a job: the calls it takes, and the one answer that theirs become."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Raw, Struct

from gateway.catalog import EmbeddingTraits, Model
from gateway.errors import GatewayError
from gateway.glm import embeddings as glm
from gateway.glm.chat import Usage
from gateway.openai import embeddings as openai
from gateway.translate.chat.answer import add_usage
from gateway.translate.embeddings.parts import cut, explained
from gateway.translate.embeddings.vectors import Form, read_vectors
from gateway.translate.endpoint import JSON, Call, Recalled

encode = msgspec.json.Encoder().encode


class Texts(Struct, frozen=True):
    """
    What is to be embedded, in the order of the request.

    ``keys`` are what the vector of each text is remembered by; empty when vectors are not remembered.
    """

    in_order: Sequence[str]
    keys: Mapping[str, str]


class EmbeddingsJob:
    """
    The vectors of ``texts``; those that are the same text are one, and those in ``recalled`` are not asked for.

    ``request`` is what every call has in common.
    """

    at_once = None
    media_type = JSON

    def __init__(
        self,
        texts: Texts,
        *,
        request: glm.EmbeddingRequest,
        model: Model,
        form: Form,
        recalled: Mapping[str, str],
        ignored: Sequence[str],
    ) -> None:
        self.ignored = ignored
        self._texts = texts
        self._model = model
        self._form = form
        self._traits = model.embeddings or EmbeddingTraits()
        self._vectors = known_vectors(texts.keys, recalled)
        self._recalled = frozenset(self._vectors)
        unique = dict.fromkeys(texts.in_order)
        self._parts = cut([text for text in unique if text not in self._vectors], traits=self._traits)
        self.calls: Sequence[Call] = [
            call_of(request, part, first=index == 0) for index, part in enumerate(self._parts)
        ]
        self.recalled = Recalled(len(self._recalled), len(unique) - len(self._recalled)) if texts.keys else None
        self._usage: Usage | None = None if self.calls else Usage()

    @property
    def usage(self) -> Usage | None:
        """Tokens of every call that was answered so far, added up; None when GLM did not tell."""
        return self._usage

    @property
    def leave(self) -> Mapping[str, str]:
        """The new vectors by their keys, as they stand in the answer."""
        new = self._vectors.keys() - self._recalled if self._texts.keys else ()
        return {self._texts.keys[text]: as_text(self._vectors[text]) for text in new}

    def receive(self, index: int, body: bytes) -> None:
        """Take the whole answer of a call; nothing has to be asked again."""
        part = self._parts[index]
        vectors, usage = read_vectors(body, form=self._form, count=len(part))
        self._vectors.update(zip(part, vectors, strict=True))
        self._usage = add_usage(self._usage, usage)

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when GLM refuses a call."""
        places: dict[str, int] = {}
        for place, text in enumerate(self._texts.in_order):
            places.setdefault(text, place)
        return explained(error, part=self._parts[index], places=places, model=self._model.id, traits=self._traits)

    def result(self) -> bytes:
        """Return the caller's answer, once every call has been received."""
        usage = self._usage or Usage()
        return encode(
            openai.CreateEmbeddingResponse(
                data=[
                    openai.Embedding(index=index, embedding=self._vectors[text])
                    for index, text in enumerate(self._texts.in_order)
                ],
                model=self._model.id,
                usage=openai.EmbeddingUsage(
                    prompt_tokens=usage.prompt_tokens, total_tokens=usage.total_tokens or usage.prompt_tokens
                ),
            )
        )


def call_of(request: glm.EmbeddingRequest, part: list[str], *, first: bool) -> Call:
    """Return the call for some of the texts; the caller's id goes out once, with the first."""
    anonymous = encode(part_of(request, part, first=False))
    if not first or request.request_id is UNSET:
        return Call(anonymous)
    return Call(encode(part_of(request, part, first=True)), again=anonymous)


def part_of(request: glm.EmbeddingRequest, part: list[str], *, first: bool) -> glm.EmbeddingRequest:
    """Return the request for some of the texts; GLM takes the caller's id only once (1231)."""
    return msgspec.structs.replace(request, input=part, request_id=request.request_id if first else UNSET)


def known_vectors(keys: Mapping[str, str], recalled: Mapping[str, str]) -> dict[str, openai.Vector]:
    return {text: as_vector(recalled[key]) for text, key in keys.items() if key in recalled}


def as_text(vector: openai.Vector) -> str:
    """Return a vector as the text that is remembered; an array's begins with a bracket, which base64 never has."""
    return vector if isinstance(vector, str) else bytes(vector).decode("ascii")


def as_vector(text: str) -> openai.Vector:
    return Raw(text) if text.startswith("[") else text
