"""``POST /embeddings`` of the stand-in: check, embed, count."""

import msgspec

from gateway.simulator.connection import Reply
from gateway.simulator.embeddings.checks import check_embeddings, texts_of
from gateway.simulator.embeddings.models import EMBEDDING_MODELS
from gateway.simulator.embeddings.vectors import embed
from gateway.simulator.platform import Ask
from gateway.simulator.tokens import count


def answer(ask: Ask) -> Reply:
    """Answer an embeddings request; raise Refusal for what the platform refuses."""
    model = EMBEDDING_MODELS[ask.fields["model"]]
    check_embeddings(ask.fields, model=model)
    texts = texts_of(ask.fields["input"])
    dimensions = ask.fields.get("dimensions") or model.dimensions[-1]
    tokens = sum(map(count, texts))
    body = {
        "model": model.id,
        "data": [
            {"embedding": embed(text, dimensions=dimensions), "index": index, "object": "embedding"}
            for index, text in enumerate(texts)
        ],
        "object": "list",
        "usage": {"completion_tokens": 0, "prompt_tokens": tokens, "total_tokens": tokens},
    }
    return Reply.whole(msgspec.json.encode(body))
