"""Streams: GLM's chunks to OpenAI's. Every chunk is rebuilt, because GLM's break the official clients."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm import chat as glm
from gateway.openai.chat import chunks as openai
from gateway.openai.chat.answers import CompletionUsage, FinishReason
from gateway.translate.chat import answer
from gateway.translate.chat.calls import Calls, more_arguments, reasoning_by_call
from gateway.translate.chat.pattern import Pattern, pattern_of
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.text import AnswerText
from gateway.translate.chat.verdict import fault_of, refusal_of
from gateway.translate.errors import unreadable
from gateway.translate.sse import DONE, event

encoder = msgspec.json.Encoder()
encode, encode_into = encoder.encode, encoder.encode_into

FIRST_LOOK = 4
"""So many chunks are read whole before one is looked at for what repeats, as an answer of few would not gain."""

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


class ChatStream:
    """
    One call's stream, told by ``writer``; ``index`` is that of its choice.

    ``done`` turns true at ``[DONE]``. ``failure`` is what went wrong inside the stream, None while nothing did:
    what came before it has been returned and has to reach the caller first. After either nothing is read any more.
    """

    slow: ClassVar[bool] = False

    def __init__(self, plan: Plan, *, index: int, writer: Writer) -> None:
        self.done = False
        self.failure: GatewayError | None = None
        self.usage: glm.Usage | None = None
        self.reasoning: list[str] = []
        self.calls = Calls(promise=plan.promise, id_prefix=plan.call_id_prefix(index))
        self._plan = plan
        self._writer = writer
        self._role: Literal["assistant"] | UnsetType = "assistant"
        self._text = AnswerText(plan)
        self._told: list[str] = []
        self._results: list[glm.SearchResult] = []
        self._finished = False
        self._heard: bool | None = None  # Whether a chunk had a choice; None before the first.
        self._pattern: Pattern | None = None
        self._read_whole = 0

    @property
    def leave(self) -> Mapping[str, str]:
        """What later requests may ask for: the reasoning behind each tool call."""
        return reasoning_by_call(self.calls, "".join(self.reasoning))

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return the caller's events for the data of these; empty when there is nothing to say yet."""
        out = bytearray()
        try:
            for payload in payloads:
                if self.done or self.failure is not None:
                    break
                if self._pattern is not None and self._repeat(out, self._pattern, payload):
                    continue
                if payload == DONE:
                    self._check_said()
                    self._conclude(out, "stop")
                    self.done = True
                else:
                    self._take(out, answer.read(payload))
                    self._look_for_pattern(payload)
        except GatewayError as error:
            self.failure = error
        return bytes(out)

    def finish(self) -> bytes:
        """Check that the stream was whole; raise UpstreamProtocolError when it broke off before ``[DONE]``."""
        if not self.done:
            raise UpstreamProtocolError("GLM's stream broke off before its end. Ask again.")
        return b""

    def _check_said(self) -> None:
        """Raise UpstreamProtocolError where what GLM sent was no part of an answer."""
        if self._heard is False:
            raise unreadable()

    def _repeat(self, out: bytearray, pattern: Pattern, payload: bytes) -> bool:
        """Take a chunk that only adds a text where others did, in half the time; False where it does not."""
        text = pattern.text_of(payload)
        if text is None:
            return False
        if pattern.place == "content":
            self._hear_words(out, text, "")
        elif pattern.place == "reasoning":
            self._hear_words(out, "", text)
        elif text and pattern.piece and (call := self.calls.grow(pattern.piece, text)) is not None:
            self._writer.arguments(out, call.index, text)
        else:
            return False
        return True

    def _look_for_pattern(self, payload: bytes) -> None:
        """
        Learn what chunks are like, from the fourth that had to be read whole, the eighth, the sixteenth and so on.

        To look takes as long as to read several, and in vain where no chunk is like the one before. Sound is not
        looked at: it is longer than all around it.
        """
        self._read_whole += 1
        is_time = self._read_whole >= FIRST_LOOK and self._read_whole.bit_count() == 1
        if is_time and not self.slow and not self._finished:
            self._pattern = pattern_of(payload) or self._pattern

    def _take(self, out: bytearray, chunk: glm.ChatAnswer) -> None:
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.web_search:
            self._writer.search(out, [result.link for result in chunk.web_search if result.link])
            self._results.extend(chunk.web_search)
        if not chunk.choices:
            self._heard = self._heard or False
            return
        self._heard = True
        if self._finished:
            return
        choice = chunk.choices[0]
        if choice.finish_reason:
            answer.check_ending(choice.finish_reason)  # Before its delta opens an answer that there is not.
        delta = choice.delta or choice.message
        if delta is not None:
            if delta.tool_calls:
                self._call(out, delta, delta.tool_calls)
            else:
                self._hear(out, delta)
        if choice.finish_reason:
            self._conclude(out, choice.finish_reason)

    def _hear(self, out: bytearray, delta: glm.AnswerMessage) -> None:
        content = delta.content or ""
        if not isinstance(content, str):
            content = answer.text_of(content)
        self._hear_words(out, content, delta.reasoning_content or "", opens=not delta.tool_calls)

    def _hear_words(self, out: bytearray, content: str, reasoning: str, *, opens: bool = True) -> None:
        if content and not self._text.plain:
            content, thought = self._text.feed(content)
            reasoning += thought
        if content or reasoning or (opens and self._role is not UNSET):
            self._say(out, content, reasoning)

    def _call(self, out: bytearray, delta: glm.AnswerMessage, pieces: Sequence[glm.AnswerToolCall]) -> None:
        if delta.content or delta.reasoning_content or delta.audio:
            self._hear(out, delta)
        for piece in pieces:
            more = piece.function.arguments if piece.function is not None else None
            if more and isinstance(more, str) and (call := self.calls.grow(piece, more)) is not None:
                self._writer.arguments(out, call.index, more)
            else:
                for told in self.calls.feed(piece):
                    self._write(out, told)

    def _say(self, out: bytearray, content: str, reasoning: str) -> None:
        if reasoning:
            self.reasoning.append(reasoning)
        if content:
            self._told.append(content)
        if self._role is UNSET and not reasoning:
            self._writer.content(out, content)
        elif self._role is UNSET and not content:
            self._writer.reasoning(out, reasoning)
        else:
            told = content if content or not reasoning else UNSET
            self._write(out, openai.Delta(content=told, reasoning_content=reasoning or UNSET))

    def _conclude(self, out: bytearray, reason: str) -> None:
        """End the choice, once: what was held back, what can only be checked now, and how it ended."""
        if self._finished:
            return
        self._finished = True
        self._pattern = None
        word = answer.finish_reason(reason, called=bool(self.calls.whole()), legacy=self._plan.promise.legacy)
        self._say_rest(out)
        for told in self.calls.conclude():
            self._write(out, told)
        if (fault := fault_of(self._plan, text=self._text, calls=self.calls, reason=word)) is not None:
            self._write(out, openai.Delta(refusal=refusal_of(fault, text=self._text)))
        if self._results:
            notes = answer.citations(self._results, text="".join(self._told))
            self._write(out, openai.Delta(annotations=notes))
        if self._role is not UNSET:
            self._write(out, openai.Delta(content=""))
        self._writer.finish(out, word)

    def _say_rest(self, out: bytearray) -> None:
        """Tell what of the text was held back."""
        content, thought = self._text.finish()
        if content or thought:
            self._say(out, content, thought)

    def _write(self, out: bytearray, delta: openai.Delta) -> None:
        """Write a delta; the first of all names the role."""
        if self._role is not UNSET:
            delta = msgspec.structs.replace(delta, role=self._role)
            self._role = UNSET
        self._writer.delta(out, delta)
