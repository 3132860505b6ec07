"""What is to be embedded: the four forms of ``input`` as texts, or a 400 that names the item that is wrong."""

from collections.abc import Sequence
from typing import Any

from gateway.errors import InvalidRequest
from gateway.translate.embeddings.tokens import FindVocabulary, UnknownTokenError, Vocabulary, vocabulary_for

MAX_INPUTS = 2048
"""As many as OpenAI takes."""

KINDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number with a fraction",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def texts_of(value: str | list[Any], *, model: str, find_vocabulary: FindVocabulary) -> list[str]:
    """
    Return the texts, in order.

    ``model`` is the name that the caller used, which tells how it made token ids. Raises InvalidRequest: the
    caller's fault.
    """
    if isinstance(value, str):
        return texts_of_strings([value], at="input")
    kinds = set(map(type, value))
    if kinds == {int}:
        return [text_of_ids(value, vocabulary=find_vocabulary(vocabulary_for(model)), at="input")]
    check_count(len(value))
    if kinds == {str}:
        return texts_of_strings(value, at="input[{}]")
    if kinds == {list}:
        vocabulary = find_vocabulary(vocabulary_for(model))
        return [text_of_ids(ids, vocabulary=vocabulary, at=f"input[{at}]") for at, ids in enumerate(value)]
    raise odd_item(value)


def texts_of_strings(texts: list[str], *, at: str) -> list[str]:
    """Return ``texts`` if none is empty; ``at`` is the place of one, with braces for its index."""
    if "" in texts:
        raise empty(at.format(texts.index("")))
    return texts


def text_of_ids(ids: Sequence[Any], *, vocabulary: Vocabulary, at: str) -> str:
    if not ids:
        raise empty(at)
    if set(map(type, ids)) != {int}:
        index, found = next((index, found) for index, found in enumerate(ids) if type(found) is not int)
        raise wrong_type(f"{at}[{index}]", wanted="a token id", got=found)
    try:
        return vocabulary.decode(ids)
    except UnknownTokenError as error:
        raise InvalidRequest(
            f"Invalid value for '{at}[{error.position}]': there is no token with this id. "
            "Token ids have to be cl100k_base, as for OpenAI's embedding models; or send the text itself.",
            param=f"{at}[{error.position}]",
            code="invalid_value",
        ) from error


def check_count(count: int) -> None:
    if count == 0:
        raise InvalidRequest(
            "Invalid value for 'input': the array is empty. Send at least one text.",
            param="input",
            code="invalid_value",
        )
    if count > MAX_INPUTS:
        raise InvalidRequest(
            f"Invalid value for 'input': {count} inputs, where {MAX_INPUTS} are allowed. Send several requests.",
            param="input",
            code="invalid_value",
        )


def odd_item(items: Sequence[Any]) -> InvalidRequest:
    """Return the error for the first item that is no input, or not of the same kind as those before it."""
    first = type(items[0])
    if first not in (str, int, list):
        return wrong_type("input[0]", wanted="a string or an array of token ids", got=items[0])
    index = next(index for index, item in enumerate(items) if type(item) is not first)
    return wrong_type(f"input[{index}]", wanted=f"{KINDS[first]} like the items before it", got=items[index])


def wrong_type(at: str, *, wanted: str, got: Any) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid type for '{at}': expected {wanted}, got {KINDS[type(got)]}.", param=at, code="invalid_type"
    )


def empty(at: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid value for '{at}': it is empty. Leave empty texts out.", param=at, code="invalid_value"
    )
