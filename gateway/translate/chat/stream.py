"""Streams: GLM's chunks to OpenAI's. Every chunk is rebuilt, because GLM's break the official clients."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm import chat as glm
from gateway.openai import chat as openai
from gateway.translate.chat import answer
from gateway.translate.chat.calls import Calls
from gateway.translate.chat.structured import JsonText, Schema, refuse_output
from gateway.translate.chat.tools import Promise
from gateway.translate.sse import DONE

encode_into = msgspec.json.Encoder().encode_into


class Plan(Struct, frozen=True, kw_only=True):
    """What the answer has to keep: its identity, the promises made about it, and what is counted."""

    id: str
    created: int
    model: str
    promise: Promise
    schema: Schema | None = None
    include_usage: bool = False
    searched: bool = False


class ChunkWriter:
    """Writes chunks that share an identity; ``usage`` is null in each when it was asked for, else absent."""

    def __init__(self, plan: Plan) -> None:
        self._id = plan.id
        self._created = plan.created
        self._model = plan.model
        self._usage: UnsetType | None = None if plan.include_usage else UNSET

    def write(
        self,
        out: bytearray,
        *,
        choices: list[openai.ChunkChoice],
        usage: openai.CompletionUsage | None = None,
    ) -> None:
        """Append one chunk to ``out`` as an event."""
        chunk = openai.CreateChatCompletionStreamResponse(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=self._usage if usage is None else usage,
        )
        out += b"data: "
        encode_into(chunk, out, -1)
        out += b"\n\n"


class ChatStream:
    """
    One call's stream; ``index`` is that of its choice.

    ``done`` turns true at ``[DONE]``. ``failure`` is what went wrong inside the stream, None while nothing did:
    what came before it has been returned and has to reach the caller first.
    """

    def __init__(self, plan: Plan, *, index: int) -> None:
        self.done = False
        self.failure: GatewayError | None = None
        self.usage: glm.Usage | None = None
        self.reasoning: list[str] = []
        self.calls = Calls(promise=plan.promise, id_prefix=f"call_{plan.id[-12:]}_{index}")
        self._plan = plan
        self._index = index
        self._writer = ChunkWriter(plan)
        self._role: Literal["assistant"] | UnsetType = "assistant"
        self._json = JsonText() if plan.schema is not None else None
        self._text: list[str] = []
        self._results: list[glm.SearchResult] = []
        self._finished = False

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return the caller's events for the data of these; empty when there is nothing to say yet."""
        out = bytearray()
        try:
            for payload in payloads:
                if payload == DONE:
                    self._conclude(out, "stop")
                    self.done = True
                    break
                self._take(out, answer.read(payload))
        except GatewayError as error:
            self.failure = error
        return bytes(out)

    def finish(self) -> bytes:
        """Check that the stream was whole; raise UpstreamProtocolError when it broke off before ``[DONE]``."""
        if not self.done:
            raise UpstreamProtocolError("GLM's stream broke off before its end. Ask again.")
        return b""

    def _take(self, out: bytearray, chunk: glm.ChatAnswer) -> None:
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.web_search:
            self._results.extend(chunk.web_search)
        if not chunk.choices or self._finished:
            return
        choice = chunk.choices[0]
        delta = choice.delta or choice.message
        if delta is not None:
            self._say(out, delta)
            for piece in delta.tool_calls or ():
                for told in self.calls.feed(piece):
                    self._write(out, told)
        if choice.finish_reason is not None:
            self._conclude(out, choice.finish_reason)

    def _say(self, out: bytearray, delta: glm.AnswerMessage) -> None:
        content = delta.content
        if content is not None and not isinstance(content, str):
            content = answer.text_of(content)
        if content and self._json is not None:
            content = self._json.feed(content)
        reasoning = delta.reasoning_content
        opens = self._role is not UNSET and not delta.tool_calls
        if not (content or reasoning or opens):
            return
        if reasoning:
            self.reasoning.append(reasoning)
        if content and self._plan.searched:
            self._text.append(content)
        told = openai.Delta(
            role=self._role,
            content=content if content or not reasoning else UNSET,
            reasoning_content=reasoning or UNSET,
        )
        self._write(out, told)

    def _conclude(self, out: bytearray, reason: str) -> None:
        """End the choice, once: what was held back, what can only be checked now, and how it ended."""
        if self._finished:
            return
        called = bool(self.calls.whole)
        word = answer.finish_reason(reason, called=called, legacy=self._plan.promise.legacy)
        for told in self.calls.conclude():
            self._write(out, told)
        if self._json is not None and word == "stop":
            self._check(out, self._json)
        if self._results:
            notes = answer.citations(self._results, text="".join(self._text))
            self._write(out, openai.Delta(annotations=notes))
        self._finished = True
        self._write(out, openai.Delta(), finish_reason=word)

    def _check(self, out: bytearray, found: JsonText) -> None:
        """Tell a refusal as one; raise InvalidOutput when the answer breaks its schema, since it has been said."""
        schema = self._plan.schema
        if not found.found:
            self._write(out, openai.Delta(refusal=found.before or "The model gave no answer."))
        elif schema is not None and (fault := schema.fault(found.text)) is not None:
            refuse_output(fault)

    def _write(
        self, out: bytearray, delta: openai.Delta, *, finish_reason: openai.FinishReason | None = None
    ) -> None:
        if self._role is not UNSET and delta.role is UNSET:
            delta = msgspec.structs.replace(delta, role=self._role)
        self._role = UNSET
        choice = openai.ChunkChoice(index=self._index, delta=delta, finish_reason=finish_reason)
        self._writer.write(out, choices=[choice])
