"""One chat completion as a job: the calls it takes, what their answers become, and one chance to mend them."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from gateway.errors import InvalidOutput
from gateway.glm import chat as glm
from gateway.openai import chat as openai
from gateway.translate.chat import answer
from gateway.translate.chat.calls import Calls, to_openai
from gateway.translate.chat.messages import with_instruction
from gateway.translate.chat.stream import ChatStream, ChunkWriter, Plan
from gateway.translate.chat.structured import JsonText, refuse_output, repair_request
from gateway.translate.sse import DONE

encode = msgspec.json.Encoder().encode

MISSING_CALL = "it called none of the functions, which was asked for"


class ChatJob:
    """
    A chat completion of ``count`` choices, one call to GLM each.

    An answer that breaks what was promised about it (a schema, a required call) is asked for once more.
    """

    def __init__(self, request: glm.ChatRequest, *, plan: Plan, count: int, ignored: Sequence[str]) -> None:
        self.ignored = ignored
        self.calls: Sequence[bytes] = [
            encode(request if index == 0 else without_request_id(request)) for index in range(count)
        ]
        self._request = request
        self._plan = plan
        self._choices: dict[int, openai.ChatCompletionChoice] = {}
        self._streams: dict[int, ChatStream] = {}
        self._mended: set[int] = set()
        self._usage: glm.Usage | None = None
        self._leave: dict[str, str] = {}

    @property
    def usage(self) -> glm.Usage | None:
        """Tokens of every call that was answered so far, added up; None when GLM did not tell."""
        total = self._usage
        for stream in self._streams.values():
            total = answer.add_usage(total, stream.usage)
        return total

    @property
    def leave(self) -> Mapping[str, str]:
        """The reasoning behind each tool call, for clients that do not send it back."""
        left = dict(self._leave)
        for stream in self._streams.values():
            left.update(reasoning_by_call(stream.calls, "".join(stream.reasoning)))
        return left

    def receive(self, index: int, body: bytes) -> bytes | None:
        """Take the whole answer of a call; return another body to send in its place, None when it will do."""
        told = answer.read(body)
        self._usage = answer.add_usage(self._usage, told.usage)
        if not told.choices or (message := told.choices[0].message or told.choices[0].delta) is None:
            raise answer.unreadable()
        calls = self._calls_of(message)
        reason = answer.finish_reason(
            told.choices[0].finish_reason, called=bool(calls.whole), legacy=self._plan.promise.legacy
        )
        text = answer.text_of(message.content)
        fault = self._fault(text, reason=reason, called=bool(calls.whole))
        if fault is not None and index not in self._mended:
            self._mended.add(index)
            return encode(self._mending(text, fault))
        self._choices[index] = openai.ChatCompletionChoice(
            index=index,
            message=self._message(message, text=text, calls=calls, results=told.web_search or [], fault=fault),
            finish_reason=reason,
        )
        self._leave.update(reasoning_by_call(calls, message.reasoning_content or ""))
        return None

    def result(self) -> bytes:
        """Return the completion, once every call has been received."""
        return encode(
            openai.CreateChatCompletionResponse(
                id=self._plan.id,
                created=self._plan.created,
                model=self._plan.model,
                choices=[choice for _, choice in sorted(self._choices.items())],
                usage=answer.usage_to_openai(self._usage),
            )
        )

    def stream(self, index: int) -> ChatStream:
        """Return the translation of a call's stream."""
        self._streams[index] = ChatStream(self._plan, index=index)
        return self._streams[index]

    def close(self) -> bytes:
        """Return the usage, if it was asked for, and the end of the stream."""
        out = bytearray()
        if self._plan.include_usage:
            ChunkWriter(self._plan).write(out, choices=[], usage=answer.usage_to_openai(self.usage))
        return bytes(out + b"data: " + DONE + b"\n\n")

    def _calls_of(self, message: glm.AnswerMessage) -> Calls:
        calls = Calls(promise=self._plan.promise, id_prefix=f"call_{self._plan.id[-12:]}")
        for piece in message.tool_calls or ():
            calls.feed(piece)
        return calls

    def _fault(self, text: str, *, reason: openai.FinishReason, called: bool) -> str | None:
        """Return how an answer breaks what was promised, None when it keeps it or was cut short."""
        if called or reason in ("length", "content_filter"):
            return None
        if self._plan.promise.must_call:
            return MISSING_CALL
        if self._plan.schema is None:
            return None
        return self._plan.schema.fault(json_in(text))

    def _mending(self, text: str, fault: str) -> glm.ChatRequest:
        turns = [
            glm.Message(role="assistant", content=text),
            glm.Message(role="user", content=repair_request(fault)),
        ]
        messages = [*self._request.messages, *turns]
        return msgspec.structs.replace(without_request_id(self._request), messages=messages)

    def _message(
        self,
        message: glm.AnswerMessage,
        *,
        text: str,
        calls: Calls,
        results: Sequence[glm.SearchResult],
        fault: str | None,
    ) -> openai.ChatCompletionResponseMessage:
        content: str | None = text
        said_instead = None
        if self._plan.schema is not None and not calls.whole:
            content = json_in(text) or text
        if fault is not None:
            content, said_instead = None, refusal(text, fault)
        promise = self._plan.promise
        told = [to_openai(call, promise=promise) for call in calls.whole]
        legacy = next((call.function for call in told if isinstance(call, openai.AnswerCall)), None)
        return openai.ChatCompletionResponseMessage(
            content=content if content or not told else None,
            refusal=said_instead,
            annotations=answer.citations(results, text=text) if results else UNSET,
            reasoning_content=message.reasoning_content or UNSET,
            tool_calls=told if told and not promise.legacy else UNSET,
            function_call=legacy if legacy is not None and promise.legacy else UNSET,
        )


def refusal(text: str, fault: str) -> str:
    """Return an answer that holds no JSON at all as the refusal it is; raise InvalidOutput for a wrong one."""
    if fault == MISSING_CALL:
        raise InvalidOutput("The model called none of the functions, though 'tool_choice' asks for a call.")
    if json_in(text) or not text:
        refuse_output(fault)
    return text


def json_in(text: str) -> str:
    """Return the JSON value inside a text, empty when there is none."""
    value = JsonText()
    return value.feed(text)


def reasoning_by_call(calls: Calls, reasoning: str) -> dict[str, str]:
    return {call.id: reasoning for call in calls.whole} if reasoning else {}


def without_request_id(request: glm.ChatRequest) -> glm.ChatRequest:
    """Return the request without the caller's id, which GLM takes only once (1231)."""
    return msgspec.structs.replace(request, request_id=UNSET)


def instructed(request: glm.ChatRequest, instruction: str) -> glm.ChatRequest:
    """Return the request with one more instruction."""
    return msgspec.structs.replace(request, messages=with_instruction(request.messages, instruction))
