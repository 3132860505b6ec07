"""The output of one response: which item a delta belongs to, and what begins and ends with it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from msgspec import Struct

from gateway.openai.chat import chunks as chat
from gateway.openai.chat.answers import Annotation, FinishReason
from gateway.openai.responses import content, items
from gateway.translate.responses.output.calls import DoneSearch, GrowingCall, GrowingCustomCall
from gateway.translate.responses.output.growing import Events, GrowingItem, Pieces, Spot
from gateway.translate.responses.output.message import GrowingMessage
from gateway.translate.responses.output.reasoning import GrowingReasoning
from gateway.translate.responses.tools import Named


class Making(Struct, frozen=True, kw_only=True):
    """
    How items are made.

    ``id`` is the response's without its prefix. ``names`` gives the caller's name of each tool that GLM knows by
    another. ``summarised``: reasoning is told as a summary. ``seal`` None: it goes without an envelope.
    ``sources``: the pages that a search found are told with it.
    """

    id: str
    names: Mapping[str, Named] = {}
    summarised: bool = False
    seal: Callable[[str], str] | None = None
    sources: bool = False


class Output:
    """
    The items of one response, made of chat's deltas; every method returns the events that tell of them.

    Text and thoughts follow each other, while calls may grow side by side until the end. ``open_text`` takes more
    of a text that has begun, as ``hear`` does more slowly; None while there is none.
    """

    def __init__(self, making: Making) -> None:
        self.next_number = count().__next__
        self.open_text: Pieces | None = None
        self._making = making
        self._grown: list[GrowingItem] = []
        self._prose: GrowingMessage | GrowingReasoning | None = None
        self._calls: dict[int, GrowingCall] = {}
        self._open: list[GrowingItem] = []

    @property
    def items(self) -> list[items.OutputItem]:
        """The items as they are now."""
        return [growing.item for growing in self._grown]

    def hear(self, delta: chat.Delta) -> Events:
        """Take what a chunk adds."""
        out: Events = []
        if isinstance(delta.reasoning_content, str):
            out += self._think(delta.reasoning_content)
        if isinstance(delta.content, str) and delta.content:
            out += self._say(delta.content)
        if isinstance(delta.annotations, list):
            out += self._annotate(delta.annotations)
        if isinstance(delta.refusal, str):
            message, out_begun = self._message()
            out += [*out_begun, *message.refuse(delta.refusal)]
        if isinstance(delta.tool_calls, list):
            for chunk in delta.tool_calls:
                out += self._call(chunk)
        return out

    def search(self, links: Sequence[str]) -> Events:
        """Take what a search found."""
        shown = links if self._making.sources else None
        search = DoneSearch(shown, spot=self._spot("ws"))
        self._grown.append(search)
        return [*search.begin(), *search.end("completed")]

    def finish(self, reason: FinishReason) -> Events:
        """End whatever is open; an answer of nothing at all gets an empty message."""
        out: Events = []
        if not self._grown and reason == "stop":
            message, out = self._message()
            out += message.say("")
        status: content.Status = "incomplete" if reason in ("length", "content_filter") else "completed"
        for growing in self._open:
            out += growing.end(status)
        self._open.clear()
        return out

    def _think(self, text: str) -> Events:
        prose = self._prose
        if isinstance(prose, GrowingReasoning):
            return prose.think(text)
        out = self._end_prose()
        reasoning = self._prose = GrowingReasoning(
            spot=self._spot("rs"), summarised=self._making.summarised, seal=self._making.seal
        )
        return [*out, *self._begin(reasoning), *reasoning.think(text)]

    def _say(self, text: str) -> Events:
        message, out = self._message()
        self.open_text = message.pieces
        return [*out, *message.say(text)]

    def _message(self) -> tuple[GrowingMessage, Events]:
        """Return the message that is open, and what begins it if none was."""
        if isinstance(self._prose, GrowingMessage):
            return self._prose, []
        out = self._end_prose()
        message = self._prose = GrowingMessage(spot=self._spot("msg"))
        return message, [*out, *self._begin(message)]

    def _annotate(self, annotations: Sequence[Annotation]) -> Events:
        message, out = self._message()
        cited = (annotation.url_citation for annotation in annotations)
        notes = [
            content.SourceCitation(
                start_index=one.start_index, end_index=one.end_index, title=one.title, url=one.url
            )
            for one in cited
        ]
        return [*out, *message.annotate(notes)]

    def _call(self, chunk: chat.ToolCallChunk) -> Events:
        if isinstance(chunk.custom, chat.CustomFragment):
            return self._custom_call(chunk, chunk.custom)
        if not isinstance(chunk.function, chat.FunctionFragment):
            return []
        out: Events = []
        call = self._calls.get(chunk.index)
        if call is None:
            out = self._end_reasoning()
            call = self._calls[chunk.index] = GrowingCall(
                self._named(chunk.function.name or ""), call_id=chunk.id or "", spot=self._spot("fc")
            )
            out += self._begin(call)
        if chunk.function.arguments:
            out += call.pass_arguments(chunk.function.arguments)
        return out

    def _custom_call(self, chunk: chat.ToolCallChunk, custom: chat.CustomFragment) -> Events:
        out = self._end_reasoning()
        call = GrowingCustomCall(self._named(custom.name or ""), call_id=chunk.id or "", spot=self._spot("ctc"))
        return [*out, *self._begin(call), *call.pass_input(custom.input or "")]

    def _begin(self, growing: GrowingItem) -> Events:
        self._grown.append(growing)
        self._open.append(growing)
        return growing.begin()

    def _end_reasoning(self) -> Events:
        return self._end_prose() if isinstance(self._prose, GrowingReasoning) else []

    def _end_prose(self) -> Events:
        prose, self._prose, self.open_text = self._prose, None, None
        if prose is None:
            return []
        self._open.remove(prose)
        return prose.end("completed")

    def _named(self, name: str) -> Named:
        return self._making.names.get(name) or Named(name)

    def _spot(self, prefix: str) -> Spot:
        """Return where the next item will stand."""
        index = len(self._grown)
        return Spot(id=f"{prefix}_{self._making.id}_{index}", index=index, count=self.next_number)
