"""One response as a job: the chat that it is made by, told as items and events, and what is kept of it."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from gateway.errors import GatewayError
from gateway.glm import chat as glm
from gateway.openai.chat import chunks as chat
from gateway.openai.chat.answers import AnswerCall, AnswerCustomCall, ChatCompletionChoice, FinishReason
from gateway.openai.responses import answers, events
from gateway.translate.chat import answer
from gateway.translate.chat.job import ChatJob
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.stream import ChatStream
from gateway.translate.endpoint import EVENT_STREAM, JSON, Call, Recalled
from gateway.translate.responses import kept
from gateway.translate.responses.frame import Frame, usage_of
from gateway.translate.responses.output import Making, Output
from gateway.translate.responses.request import Rewritten
from gateway.translate.responses.writer import EventWriter, write

encode = msgspec.json.Encoder().encode


class Script(Struct, frozen=True, kw_only=True):
    """How a response is told and kept; ``context`` None: it is not kept."""

    frame: Frame
    making: Making
    rewritten: Rewritten
    context: Sequence[Raw] | None


class Writers:
    """Makes what tells a response, of which ``last`` is the newest. It knows no job, as a job knows it."""

    def __init__(self, script: Script) -> None:
        self.last: EventWriter | None = None
        self._script = script

    def make(self, index: int) -> EventWriter:
        """Return another, as the answer is told from the beginning when its call is made again."""
        del index  # There is one call.
        self.last = EventWriter(self._script.frame, self._script.making)
        return self.last


class ResponseJob:
    """A response, made by one chat; ``ignored`` are the names of what was accepted without effect."""

    at_once = None
    in_order = False
    media_type = JSON
    stream_type = EVENT_STREAM

    def __init__(
        self, script: Script, *, requests: Sequence[glm.ChatRequest], plan: Plan, ignored: Sequence[str]
    ) -> None:
        self.recalled: Recalled | None = None
        self.ignored = ignored
        self._script = script
        self._writers = Writers(script)
        self._chat = ChatJob(requests, plan=plan, ignored=(), writer=self._writers.make)
        self.calls = self._chat.calls
        self._final: answers.Response | None = None

    @property
    def usage(self) -> glm.Usage | None:
        """Tokens of every call that was answered so far, added up; None when GLM did not tell."""
        return self._chat.usage

    @property
    def leave(self) -> Mapping[str, str]:
        """The reasoning behind each call, and the response itself if it is to be kept."""
        left = dict(self._chat.leave)
        if self._final is not None and self._script.context is not None:
            left |= self._written(self._final)
        return left

    def announce(self) -> tuple[bytes, Mapping[str, str]]:
        """Return the response before it is made, for its caller and for those who ask for it meanwhile."""
        frame = self._script.frame
        return encode(frame.response("queued")), self._written(frame.response("in_progress"))

    def give_up(self, error: GatewayError | None) -> None:
        """Let the response end as failed; as cancelled where there is no error."""
        status: answers.ResponseStatus = "cancelled" if error is None else "failed"
        self._final = self._script.frame.response(status, error=error)

    def receive(self, index: int, body: bytes) -> Call | None:
        """Take the whole answer; return another call to make in its place, None when it will do."""
        return self._chat.receive(index, body)

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when the call fails: about its own fields, not chat's."""
        del index
        return self._script.rewritten.origin.blame(error)

    def result(self) -> bytes:
        """Return the response, once its call has been received."""
        (choice,) = self._chat.choices
        output = Output(self._script.making)
        replay(choice, output)
        return encode(self._conclude(output, choice.finish_reason))

    def stream(self, index: int) -> ChatStream:
        """Return the translation of the call's stream."""
        return self._chat.stream(index)

    def close(self) -> bytes:
        """Return the event that holds the whole response."""
        writer = self._writers.last
        assert writer is not None  # noqa: S101 - a stream was read to its end
        final = self._conclude(writer.output, writer.reason or "stop")
        kind = events.ResponseCompleted if final.status == "completed" else events.ResponseIncomplete
        return self._last(kind(sequence_number=writer.output.next_number(), response=final))

    def fail(self, error: GatewayError) -> bytes:
        """Return the event that tells what failed, with what had been made before."""
        error = self._script.rewritten.origin.blame(error)
        writer = self._writers.last or self._writers.make(0)
        final = self._final = self._script.frame.response("failed", writer.output.items, error=error)
        return self._last(events.ResponseFailed(sequence_number=writer.output.next_number(), response=final))

    def _written(self, response: answers.Response) -> Mapping[str, str]:
        context = list(self._script.context or ())
        return {response.id: kept.write(kept.Kept(response=Raw(encode(response)), context=context))}

    def _conclude(self, output: Output, reason: FinishReason) -> answers.Response:
        cut = reason in ("length", "content_filter")
        self._final = self._script.frame.response(
            "incomplete" if cut else "completed",
            output.items,
            usage=usage_of(answer.usage_to_openai(self.usage)),
            reason=reason,
        )
        return self._final

    def _last(self, event: events.Event) -> bytes:
        out = bytearray()
        write(out, [event])
        return bytes(out)


def replay(choice: ChatCompletionChoice, output: Output) -> None:
    """Make the items of a whole answer, in the order in which a stream would bring them."""
    message = choice.message
    notes = message.annotations or []
    if notes:
        output.search([note.url_citation.url for note in notes])
    output.hear(chat.Delta(reasoning_content=message.reasoning_content))
    output.hear(chat.Delta(content=message.content))
    for index, call in enumerate(message.tool_calls or []):
        output.hear(chat.Delta(tool_calls=[whole_call(call, index=index)]))
    if message.refusal is not None:
        output.hear(chat.Delta(refusal=message.refusal))
    if notes:
        output.hear(chat.Delta(annotations=notes))
    output.finish(choice.finish_reason)


def whole_call(call: AnswerCall | AnswerCustomCall, *, index: int) -> chat.ToolCallChunk:
    match call:
        case AnswerCall(id=call_id, function=function):
            whole = chat.FunctionFragment(name=function.name, arguments=function.arguments)
            return chat.ToolCallChunk(index=index, id=call_id, type="function", function=whole)
        case AnswerCustomCall(id=call_id, custom=custom):
            given = chat.CustomFragment(name=custom.name, input=custom.input)
            return chat.ToolCallChunk(index=index, id=call_id, type="custom", custom=given)
