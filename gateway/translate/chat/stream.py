"""Streams: GLM's chunks to OpenAI's. Every chunk is rebuilt, because GLM's break the official clients."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm import chat as glm
from gateway.openai.chat import chunks as openai
from gateway.translate.chat import answer
from gateway.translate.chat.calls import Calls, reasoning_by_call
from gateway.translate.chat.pattern import Pattern, pattern_of
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.text import AnswerText
from gateway.translate.chat.verdict import fault_of, refusal_of
from gateway.translate.chat.writer import Writer
from gateway.translate.errors import unreadable
from gateway.translate.sse import DONE

FIRST_LOOK = 4
"""So many chunks are read whole before one is looked at for what repeats, as an answer of few would not gain."""


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
        if self._text.plain:
            return
        content, thought = self._text.finish(called=bool(self.calls.whole()))
        if content or thought:
            self._say(out, content, thought)

    def _write(self, out: bytearray, delta: openai.Delta) -> None:
        """Write a delta; the first of all names the role."""
        if self._role is not UNSET:
            delta = msgspec.structs.replace(delta, role=self._role)
            self._role = UNSET
        self._writer.delta(out, delta)
