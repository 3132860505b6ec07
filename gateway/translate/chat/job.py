"""One chat completion as a job: the calls it takes, what their answers become, and one chance to mend them."""

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

import msgspec
from msgspec import UNSET, Struct, field

from gateway.errors import GatewayError
from gateway.glm import chat as glm
from gateway.openai.chat import answers as openai
from gateway.translate.chat import answer
from gateway.translate.chat.audio_ids import Past
from gateway.translate.chat.messages import with_instruction
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.speaking import SpokenStream, SpokenWhole
from gateway.translate.chat.spoken import converted
from gateway.translate.chat.stream import ChatStream
from gateway.translate.chat.verdict import repair_request
from gateway.translate.chat.whole import Whole
from gateway.translate.chat.writer import ChunkWriter, Writer
from gateway.translate.endpoint import EVENT_STREAM, JSON, Call, Recalled
from gateway.translate.errors import to_openai
from gateway.translate.sse import END, event

INDEX = attrgetter("index")

encode = msgspec.json.Encoder().encode


class ChatJob(Struct, eq=False):
    """
    A chat completion: a choice for each of ``requests``, and a call to GLM for each.

    An answer that breaks what was promised about it (a schema, a required call) is asked for once more. ``writer``
    makes what tells a choice's stream, by the index of the choice; None: chunks are told. ``past`` is what the
    requests say of earlier spoken answers, None where they name none. ``choices`` are those that were received
    whole, in order.
    """

    __repr__ = object.__repr__  # What it holds is not for logs.

    at_once = None
    in_order = False
    media_type = JSON
    stream_type = EVENT_STREAM

    requests: Sequence[glm.ChatRequest]
    plan: Plan
    ignored: Sequence[str]
    writer: Callable[[int], Writer] | None = None
    past: Past | None = None
    recalled: Recalled | None = None
    calls: Sequence[Call] = ()
    choices: list[openai.ChatCompletionChoice] = field(default_factory=list)
    _streams: dict[int, ChatStream] = field(default_factory=dict)
    _mended: set[int] = field(default_factory=set)
    _usage: glm.Usage | None = None
    _leave: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calls = [call_of(request, first=index == 0) for index, request in enumerate(self.requests)]
        if self.past is not None:
            self.calls = [otherwise(call, self.requests[0], self.past) for call in self.calls]

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
            left.update(stream.leave)
        return left

    def receive(self, index: int, body: bytes) -> Call | None:
        """Take the whole answer of a call; return another to make in its place, None when it will do."""
        told = answer.read(body)
        self._usage = answer.add_usage(self._usage, told.usage)
        kind = Whole if self.plan.spoken is None else SpokenWhole
        whole = kind(told, plan=self.plan, index=index)
        if whole.fault is not None and index not in self._mended:
            self._mended.add(index)
            return Call(encode(self._mending(index, whole.said, whole.fault)))
        insort(self.choices, whole.choice(), key=INDEX)
        self._leave.update(whole.leave)
        return None

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when a call fails; it may be for an earlier answer that GLM forgot."""
        del index
        return error if self.past is None else self.past.explain(error)

    def result(self) -> bytes:
        """Return the completion, once every call has been received; slow where it is spoken."""
        choices, form = self.choices, self.plan.spoken
        if form is not None:
            choices = [converted(choice, form=form) for choice in choices]
        return encode(
            openai.CreateChatCompletionResponse(
                id=self.plan.id,
                created=self.plan.created,
                model=self.plan.model,
                choices=choices,
                usage=answer.usage_to_openai(self._usage),
            )
        )

    def stream(self, index: int) -> ChatStream:
        """Return the translation of a call's stream."""
        kind = ChatStream if self.plan.spoken is None else SpokenStream
        writer = self.writer(index) if self.writer is not None else ChunkWriter(self.plan, index=index)
        self._streams[index] = kind(self.plan, index=index, writer=writer)
        return self._streams[index]

    def close(self) -> bytes:
        """Return the usage, if it was asked for, and the end of the stream."""
        if not self.plan.include_usage:
            return END
        return ChunkWriter(self.plan, index=0).usage(answer.usage_to_openai(self.usage)) + END

    def fail(self, error: GatewayError) -> bytes:
        """Return the event that ends a stream which failed."""
        return event(to_openai(error))

    def _mending(self, index: int, said: str, fault: str) -> glm.ChatRequest:
        wrong = [glm.Message(role="assistant", content=said)] if said else []
        demand = glm.Message(role="user", content=repair_request(fault))
        messages = [*self.requests[index].messages, *wrong, demand]
        return msgspec.structs.replace(without_request_id(self.requests[index]), messages=messages)


def call_of(request: glm.ChatRequest, *, first: bool) -> Call:
    """Return one of the calls that a request becomes; the caller's id goes out once, with the first."""
    if request.request_id is UNSET:
        return Call(encode(request))
    anonymous = encode(without_request_id(request))
    return Call(encode(request), again=anonymous) if first else Call(anonymous)


def otherwise(call: Call, request: glm.ChatRequest, past: Past) -> Call:
    """Return a call that says in words what GLM may not know by its id."""
    if past.spelled is None:
        return call
    spelled = msgspec.structs.replace(without_request_id(request), messages=past.spelled)
    return msgspec.structs.replace(call, otherwise=encode(spelled))


def without_request_id(request: glm.ChatRequest) -> glm.ChatRequest:
    """Return the request without the caller's id, which GLM takes only once (1231)."""
    return msgspec.structs.replace(request, request_id=UNSET)


def instructed(request: glm.ChatRequest, instruction: str) -> glm.ChatRequest:
    """Return the request with one more instruction."""
    return msgspec.structs.replace(request, messages=with_instruction(request.messages, instruction))
