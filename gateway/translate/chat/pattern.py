"""What repeats in chunk after chunk of a stream, so that of most of them only what is new has to be decoded."""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.glm import chat as glm

encode = msgspec.json.Encoder().encode
decode_text = msgspec.json.Decoder(str).decode
decode_chunk = msgspec.json.Decoder(glm.ChatAnswer).decode

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)

Place: TypeAlias = Literal["content", "reasoning", "arguments"]


class Added(Struct, frozen=True):
    """All that a chunk says: a text, and its place; for arguments ``piece`` is what is said of their call."""

    text: str
    place: Place
    piece: glm.AnswerToolCall | None = None


class Pattern(Struct, frozen=True, eq=False):
    """The bytes of chunks before and after the text that each of them adds, and where that belongs."""

    before: bytes
    after: bytes
    place: Place
    piece: glm.AnswerToolCall | None

    def text_of(self, chunk: bytes) -> str | None:
        """Return what a chunk adds; None where it is not of this pattern, or has to be read with more care."""
        if not (chunk.startswith(self.before) and chunk.endswith(self.after)):
            return None
        try:
            return decode_text(chunk[len(self.before) : -len(self.after)])
        except UNREADABLE:
            return None


def pattern_of(chunk: bytes) -> Pattern | None:
    """
    Return what others may have in common with this chunk; None where it says more than a text, or something else.

    It is tried with another text before it is trusted: the same characters may stand in two places.
    """
    added = read(chunk)
    if added is None:
        return None
    before, _, after = chunk.rpartition(encode(added.text))
    other = replace(added, text=added.text + ".")
    if other != read(before + encode(other.text) + after):
        return None
    return Pattern(before, after, added.place, added.piece)


def read(chunk: bytes) -> Added | None:
    """Return what a chunk adds; None where it does not say just that."""
    try:
        told = decode_chunk(chunk)
    except UNREADABLE:
        return None
    match told:
        case glm.ChatAnswer(
            choices=[glm.Choice(finish_reason=None | "", message=None, delta=glm.AnswerMessage() as delta)],
            usage=None,
            web_search=None,
            error=None,
        ):
            return added_by(delta)
    return None


def added_by(delta: glm.AnswerMessage) -> Added | None:
    match (delta.content or None, delta.reasoning_content or None, delta.tool_calls or None, delta.audio):
        case (str(text), None, None, None):
            return Added(text, "content")
        case (None, str(text), None, None):
            return Added(text, "reasoning")
        case (
            None,
            None,
            [glm.AnswerToolCall(function=glm.AnswerFunction(arguments=str(text)) as function) as piece],
            None,
        ):
            return Added(text, "arguments", replace(piece, function=replace(function, arguments=None)))
    return None
