"""The embeddings endpoint: reads a request, and makes the job it becomes."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial

from gateway.catalog import Model
from gateway.glm import embeddings as glm
from gateway.openai import embeddings as openai
from gateway.translate.embeddings.inputs import texts_of
from gateway.translate.embeddings.job import EmbeddingsJob, Texts
from gateway.translate.embeddings.params import EMBEDDINGS, DimensionsMode, size_of
from gateway.translate.embeddings.tokens import FindVocabulary
from gateway.translate.embeddings.vectors import form_of
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.requests import Reader

Request = openai.CreateEmbeddingRequest

read_request = Reader(Request).read


def embeddings_endpoint(
    *, find_vocabulary: FindVocabulary, dimensions_mode: DimensionsMode = "refuse", remembers: bool = False
) -> Endpoint[bytes]:
    """
    Return ``POST /v1/embeddings``, served by ``POST /embeddings``.

    ``remembers``: vectors are left behind for later requests of the same texts.
    """
    return Endpoint(
        operation="embeddings",
        needs="embeddings",
        path="/embeddings",
        read=partial(read, find_vocabulary=find_vocabulary, remembers=remembers),
        begin=partial(begin, dimensions_mode=dimensions_mode),
    )


def read(body: bytes, *, find_vocabulary: FindVocabulary, remembers: bool) -> Incoming:
    """Return the request in ``body``; raise InvalidRequest naming the field or input that is wrong."""
    request, present = read_request(body)
    in_order = texts_of(request.input, model=request.model, find_vocabulary=find_vocabulary)
    digests = digests_of(in_order) if remembers else {}
    return Incoming(
        request=(request, in_order, digests),
        present=present,
        model=request.model,
        stream=False,
        recall=lambda model: [*keys_of(digests, request=request, model=model).values()],
    )


def begin(incoming: Incoming, context: Context, *, dimensions_mode: DimensionsMode) -> EmbeddingsJob:
    """Return the job for a request; raise InvalidRequest for what the model does not do."""
    request: Request
    in_order: Sequence[str]
    digests: Mapping[str, str]
    request, in_order, digests = incoming.request
    draft = map_params(request, present=incoming.present, table=EMBEDDINGS, context=context, strict=context.strict)
    size = size_of(request.dimensions, model=context.model, mode=dimensions_mode)
    return EmbeddingsJob(
        Texts(in_order, keys_of(digests, request=request, model=context.model)),
        request=glm.EmbeddingRequest(model=context.model.id, input=[], dimensions=size.asked, **draft.fields),
        model=context.model,
        form=form_of(request.encoding_format, cut_to=size.cut_to),
        recalled=context.recalled,
        ignored=draft.ignored,
    )


def digests_of(texts: Sequence[str]) -> dict[str, str]:
    """Return what stands for each text in the key of its vector."""
    return {text: hashlib.sha256(text.encode()).hexdigest() for text in texts}


def keys_of(digests: Mapping[str, str], *, request: Request, model: Model) -> dict[str, str]:
    """Return what the vector of each text is remembered by: its model, its form, its size and its text."""
    # The model that serves, not the name that was used: what an alias means can change.
    kind = f"{model.id}:{request.encoding_format or 'float'}:{request.dimensions or ''}:"
    return {text: kind + digest for text, digest in digests.items()}
