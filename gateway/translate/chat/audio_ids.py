"""Earlier spoken answers: GLM knows its own by their ids for a while, and what was said in them is known here."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct

from gateway.errors import GatewayError, InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import messages as openai


class Kept(Struct, frozen=True, kw_only=True):
    """
    What is remembered of a spoken answer.

    ``valid_until`` in Unix seconds is when GLM forgets it; None: GLM did not say, 0: GLM never knew it.
    """

    transcript: str
    valid_until: int | None


decode_kept = msgspec.json.Decoder(Kept).decode


class Named(Struct, frozen=True, kw_only=True):
    """An earlier answer: ``id`` for GLM, None where GLM would not know it, and its ``words``, None if unknown."""

    id: str | None
    words: str | None


def key_of(audio_id: str) -> str:
    """Return what a spoken answer is remembered by."""
    return f"audio:{audio_id}"


def kept(audio_id: str, what: Kept) -> Mapping[str, str]:
    """Return what to remember of an answer."""
    return {key_of(audio_id): msgspec.json.encode(what).decode()}


def named(audio: openai.AudioReference, *, recalled: Mapping[str, str], now: int) -> Named:
    """Return what is known of an earlier answer; ``now`` in Unix seconds. One unknown here GLM may know."""
    text = recalled.get(key_of(audio.id))
    if text is None:
        return Named(id=audio.id, words=audio.transcript)
    known = decode_kept(text)
    is_valid = known.valid_until is None or now < known.valid_until
    return Named(id=audio.id if is_valid else None, words=known.transcript)


def references(messages: Sequence[openai.Message]) -> Iterator[tuple[str, openai.AudioReference]]:
    """Yield the earlier answers that a conversation names, with their addresses."""
    for index, message in enumerate(messages):
        if isinstance(message, openai.AssistantMessage) and message.audio is not None:
            yield f"messages[{index}].audio.id", message.audio


class Past(Struct, frozen=True, kw_only=True):
    """
    What a request says of earlier spoken answers by their ids, which GLM may know no more, or not in this account.

    ``spelled`` is the conversation with their words in the place of ids, None where some are unknown. ``unknown``
    is the address of the first of those, None where there is none.
    """

    spelled: list[glm.Message] | None
    unknown: str | None

    def explain(self, error: GatewayError) -> GatewayError:
        """Return what the caller is told when GLM refuses; an id that only GLM could know may be why."""
        if isinstance(error, InvalidRequest) and error.param is None and self.unknown is not None:
            error.param = self.unknown
            error.message += f" It may be that GLM does not know '{self.unknown}' any more."
        return error


def past_of(
    messages: Sequence[openai.Message], asked: Sequence[glm.Message], *, recalled: Mapping[str, str]
) -> Past | None:
    """Return what is known of the answers that ``asked``, which ``messages`` became, names; None for none."""
    if all(message.audio is UNSET for message in asked):
        return None
    words, unknown = {}, None
    for address, audio in references(messages):
        known = named(audio, recalled=recalled, now=0).words
        if known is not None:
            words[audio.id] = known
        elif unknown is None:
            unknown = address
    spelled = None if unknown is not None else [spelled_out(message, words) for message in asked]
    return Past(spelled=spelled, unknown=unknown)


def spelled_out(message: glm.Message, words: Mapping[str, str]) -> glm.Message:
    if not isinstance(message.audio, glm.AudioReference):
        return message
    content = message.content or words[message.audio.id]
    return msgspec.structs.replace(message, audio=UNSET, content=content)


def unknown(param: str) -> InvalidRequest:
    """Return the error for an answer that was not given to this tenant, or of which nothing is known any more."""
    return InvalidRequest(
        "This spoken answer is not known, or not any more. Give its 'id' as it came with the answer, or send what "
        "it said as 'content'.",
        param=param,
        code="audio_not_found",
    )
