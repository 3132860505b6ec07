"""
Cutting a request into calls that GLM takes, and finding out which text it means when it refuses one.

GLM's own tokenizer is not published. Sizes are estimated, on the safe side where a call depends on it.
"""

from collections.abc import Mapping, Sequence

from gateway.catalog import EmbeddingTraits
from gateway.errors import ContentFiltered, GatewayError, InvalidRequest

BYTES_PER_TOKEN = 4
"""
Docs.bigmodel.cn counts a token as 0.75 English words or 1.5 Chinese characters: either way some 4 bytes of UTF-8.
"""

CAUTION = 2
"""How much larger than estimated a text may be without making a call too large."""

SUSPICIOUS = 0.7
"""The share of the limit from which on an estimate makes a text the likely cause of a refusal."""


def estimated_tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def cut(texts: Sequence[str], *, traits: EmbeddingTraits) -> list[list[str]]:
    """Return ``texts`` in order, in as few parts as one call each can take."""
    if traits.max_total_tokens is None:
        size = traits.max_items or len(texts) or 1
        return [list(texts[start : start + size]) for start in range(0, len(texts), size)]
    return cut_by_size(texts, max_items=traits.max_items, max_total_tokens=traits.max_total_tokens)


def cut_by_size(texts: Sequence[str], *, max_items: int | None, max_total_tokens: int) -> list[list[str]]:
    parts: list[list[str]] = []
    room = 0
    for text in texts:
        tokens = CAUTION * estimated_tokens(text)
        if tokens > room or not parts or len(parts[-1]) == max_items:
            parts.append([])
            room = max_total_tokens
        parts[-1].append(text)
        room -= tokens
    return parts


def explained(
    error: GatewayError, *, part: Sequence[str], places: Mapping[str, int], model: str, traits: EmbeddingTraits
) -> GatewayError:
    """
    Return what the caller is told when GLM refuses a ``part``: which of its inputs it is about, and the limit.

    ``places`` has the first index of each text in the request. GLM names no text. Errors that are not about the
    texts come back as they are.
    """
    if isinstance(error, ContentFiltered):
        return ContentFiltered(
            f"{error.message} It is about {inputs(part, places=places)}.",
            param=error.param,
            glm_code=error.glm_code,
        )
    if not isinstance(error, InvalidRequest) or error.glm_code is None or error.param == "request_id":
        return error
    limit = traits.max_item_tokens
    longest = max(part, key=estimated_tokens)
    tokens = estimated_tokens(longest)
    said = error.message if error.param is None else f"GLM refuses the request (GLM {error.glm_code})."
    if limit is None or tokens < SUSPICIOUS * limit:
        told = f" {model} takes at most {limit:,} tokens for each input." if limit is not None else ""
        return InvalidRequest(
            f"{said} It is about {inputs(part, places=places)}.{told}", param="input", glm_code=error.glm_code
        )
    at = f"input[{places[longest]}]"
    return InvalidRequest(
        f"{said} The cause is probably '{at}', which has about {tokens:,} tokens; {model} takes at most {limit:,} "
        "for each input. Split it or shorten it.",
        param=at,
        code="context_length_exceeded",
        glm_code=error.glm_code,
    )


def inputs(part: Sequence[str], *, places: Mapping[str, int]) -> str:
    """Return the words for the inputs of a part."""
    first, last = places[part[0]], places[part[-1]]
    return f"'input[{first}]'" if first == last else f"one of 'input[{first}]' to 'input[{last}]'"
