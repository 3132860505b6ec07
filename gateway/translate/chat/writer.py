"""How deltas are told: the port of writers, and the one that writes chunks of chat."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from gateway.openai.chat import chunks as openai
from gateway.openai.chat.answers import CompletionUsage, FinishReason
from gateway.translate.chat.calls import more_arguments
from gateway.translate.chat.plan import Plan
from gateway.translate.sse import event

encoder = msgspec.json.Encoder()
encode, encode_into = encoder.encode, encoder.encode_into

NO_DELTA = b'"delta":{}'
NO_ARGUMENTS = b'"arguments":""'


class Writer(Protocol):
    """Writes one call's answer, as it comes in, as events of some format, at the end of ``out``."""

    def search(self, out: bytearray, links: Sequence[str]) -> None:
        """Tell that the web was searched, and what was found."""

    def delta(self, out: bytearray, delta: openai.Delta) -> None:
        """Tell what is added."""

    def content(self, out: bytearray, more: str) -> None:
        """Tell ``more`` of the text of an answer that has begun."""

    def reasoning(self, out: bytearray, more: str) -> None:
        """Tell ``more`` of the reasoning of an answer that has begun."""

    def arguments(self, out: bytearray, index: int, more: str) -> None:
        """Tell ``more`` of the arguments of the call of this ``index``, which is known by its name already."""

    def finish(self, out: bytearray, reason: FinishReason) -> None:
        """Tell how the answer ended."""


class ChunkWriter:
    """
    Writes the chunks of one choice as events; ``usage`` is null in each when it was asked for, else absent.

    All of a chunk but its delta is the same for each token, so it is encoded once.
    """

    def __init__(self, plan: Plan, *, index: int) -> None:
        self._plan = plan
        self._index = index
        head, _, tail = self._chunk(openai.Delta(), finish_reason=None).partition(NO_DELTA)
        self._head = head + b'"delta":'
        self._tail = tail
        self._around_content = self._head + b'{"content":', b"}" + tail
        self._around_reasoning = self._head + b'{"reasoning_content":', b"}" + tail
        self._around_arguments: dict[int, tuple[bytes, bytes]] = {}

    def search(self, out: bytearray, links: Sequence[str]) -> None:
        """Append nothing: what was found is told as notes at the end."""

    def delta(self, out: bytearray, delta: openai.Delta) -> None:
        """Append the chunk that adds ``delta``."""
        out += self._head
        encode_into(delta, out, -1)
        out += self._tail

    def content(self, out: bytearray, more: str) -> None:
        """Append the chunk that adds to the text; of it, and of the two that follow, only the text is encoded."""
        before, after = self._around_content
        out += before
        encode_into(more, out, -1)
        out += after

    def reasoning(self, out: bytearray, more: str) -> None:
        """Append the chunk that adds to the reasoning."""
        before, after = self._around_reasoning
        out += before
        encode_into(more, out, -1)
        out += after

    def arguments(self, out: bytearray, index: int, more: str) -> None:
        """Append the chunk that adds to a call's arguments."""
        around = self._around_arguments.get(index)
        if around is None:
            around = self._around_arguments[index] = self._around(index)
        before, after = around
        out += before
        encode_into(more, out, -1)
        out += after

    def finish(self, out: bytearray, reason: FinishReason) -> None:
        """Append the chunk that ends the choice."""
        out += self._chunk(openai.Delta(), finish_reason=reason)

    def usage(self, usage: CompletionUsage) -> bytes:
        """Return the chunk that tells what all choices together used."""
        return self._event([], usage=usage)

    def _around(self, index: int) -> tuple[bytes, bytes]:
        chunk = bytearray()
        self.delta(chunk, more_arguments(index, "", legacy=self._plan.promise.legacy))
        head, _, tail = bytes(chunk).partition(NO_ARGUMENTS)
        return head + b'"arguments":', tail

    def _chunk(self, delta: openai.Delta, *, finish_reason: FinishReason | None) -> bytes:
        choice = openai.ChunkChoice(index=self._index, delta=delta, finish_reason=finish_reason)
        return self._event([choice], usage=None if self._plan.include_usage else UNSET)

    def _event(self, choices: list[openai.ChunkChoice], *, usage: CompletionUsage | UnsetType | None) -> bytes:
        plan = self._plan
        chunk = openai.CreateChatCompletionStreamResponse(
            id=plan.id, created=plan.created, model=plan.model, choices=choices, usage=usage
        )
        return event(encode(chunk))
