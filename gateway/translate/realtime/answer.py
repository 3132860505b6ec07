"""
One response while it is made: GLM's events in whatever order they come, the client's in the order it needs.

GLM keeps order within one kind of event only. So what begins is told when something of it is there, and what ends
when the whole response does.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, TypedDict

from msgspec.structs import replace

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm.realtime import server as glm
from gateway.openai.realtime import items, server
from gateway.openai.realtime.items import Content, Item, Metadata, ResponseState
from gateway.translate.answers import read_base64
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.shapes import audio_format
from gateway.translate.realtime.sound import SAMPLE_BYTES, Converter, WholeSamples
from gateway.translate.realtime.talk import Talk

NO_ARGUMENTS = "{}"


class Place(TypedDict):
    """Where in a response a part is."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


class CallPlace(TypedDict):
    """Where in a response a call is."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str


class Words:
    """A text that comes in pieces and then, perhaps, once more as a whole."""

    def __init__(self) -> None:
        self.said = ""
        self._whole = ""

    def end(self, whole: str | None) -> None:
        """Take the whole text, if it is told."""
        self._whole = whole or self._whole

    @property
    def rest(self) -> str:
        """What the pieces lack of the whole."""
        return self._whole[len(self.said) :] if self._whole.startswith(self.said) else ""


class Answer:
    """
    One response. ``glm_id`` is GLM's name for it, ``glm_item_id`` for what it says, None until that is known;
    ``outside``: it is no part of the conversation; ``interrupted``: the user has begun to speak, and GLM is to
    end it.

    A spoken one has voice and transcript, a written one has text; never both kinds of text, since clients would
    show both. GLM sends both: the other one stands in where the right one stays away.
    """

    def __init__(self, talk: Talk, config: Config, *, metadata: Metadata | None, outside: bool = False) -> None:
        self.id = talk.id_of("resp")
        self.glm_id: str | None = None
        self.glm_item_id: str | None = None
        self.interrupted = False
        self.config = config
        self._talk = talk
        self._metadata = metadata
        self._outside = outside
        self._output: list[Item] = []
        self._message: Item | None = None
        self._index = 0
        self._text = Words()
        self._transcript = Words()
        self._told = ""
        self._converter: Converter | None = talk.sound.to_client(config.output_format)
        self.calls: list[str] = []

    @property
    def empty(self) -> bool:
        """Whether nothing at all has come."""
        return not self._output and not (self._text.said or self._text.rest)

    def begin(self) -> None:
        """Tell the client that there is a response."""
        self._talk.tell(server.ResponseCreated(response=self._response("in_progress")))

    def add_text(self, delta: str) -> None:
        """Take a piece of what is written."""
        self._text.said += delta
        if not self.config.spoken:
            self._write(delta)

    def end_text(self, whole: str | None) -> None:
        """Take all that is written."""
        self._text.end(whole)

    def add_transcript(self, delta: str) -> None:
        """Take a piece of what is spoken, in writing."""
        self._transcript.said += delta
        if self.config.spoken:
            self._write(delta)

    def end_transcript(self, whole: str | None) -> None:
        """Take all that is spoken, in writing."""
        self._transcript.end(whole)

    def add_audio(self, delta: str) -> None:
        """Take a piece of the voice; what is no base64 is dropped."""
        if not self.config.spoken or not delta:
            return
        if self._converter is None:
            size = len(delta) // 4 * 3 - delta.count("=", -2)
            if size % SAMPLE_BYTES == 0:
                self._talk.spoken_bytes += size
                self._speak(delta)
                return
            self._converter = WholeSamples()
        try:
            pcm = read_base64(delta)
        except UpstreamProtocolError:
            return
        self._talk.spoken_bytes += len(pcm)
        if audio := self._converter.feed(pcm):
            self._speak(b64encode(audio).decode("ascii"))

    def add_call(self, name: str, arguments: str) -> str:
        """Take a call of a function, which is whole when it comes; return its id."""
        talk, index = self._talk, len(self._output)
        call_id = talk.id_of("call")
        begun = Item(
            id=talk.id_of("item"),
            type="function_call",
            status="in_progress",
            call_id=call_id,
            name=name,
            arguments="",
        )
        self.calls.append(call_id)
        self._output.append(begun)
        where = CallPlace(response_id=self.id, item_id=begun.id, output_index=index, call_id=call_id)
        arguments = arguments or NO_ARGUMENTS
        talk.tell(server.OutputItemAdded(response_id=self.id, output_index=index, item=talk.shape.item(begun)))
        self._add(begun)
        talk.tell(server.ArgumentsDelta(**where, delta=arguments))
        talk.tell(server.ArgumentsDone(**where, name=name, arguments=arguments))
        self._end_item(index, replace(begun, status="completed", arguments=arguments))
        return call_id

    def close(
        self,
        status: ResponseState,
        *,
        reason: str | None = None,
        error: GatewayError | None = None,
        usage: items.Usage | None = None,
    ) -> None:
        """End what has begun, in the order that clients need, and then the response."""
        # GLM writes faster than it speaks: what was never heard of a response that was stopped was not said.
        if status == "completed" or not self.config.spoken or self._message is not None:
            self._stand_in()
        if self._message is not None:
            self._end_message(self._message, status="completed" if status == "completed" else "incomplete")
        details = None
        if status != "completed":
            failure = None
            if error is not None:
                failure = items.StatusError(type=error.type, code=error.code, message=error.message)
            details = items.StatusDetails(type=status, reason=reason, error=failure)
        response = self._response(status, details=details, usage=usage or items.Usage())
        self._talk.tell(server.ResponseDone(response=response))

    def _stand_in(self) -> None:
        """Say what did not come in pieces, from the kind of text that should have come or else from the other."""
        right, other = self._text, self._transcript
        if self.config.spoken:
            right, other = other, right
        if rest := right.rest:
            self._write(rest)
        elif not self._told and (instead := other.said + other.rest):
            self._write(instead)

    def _write(self, delta: str) -> None:
        if not delta:
            return
        where = self._where()
        self._told += delta
        kind = server.TranscriptDelta if self.config.spoken else server.TextDelta
        self._talk.tell(kind(**where, delta=delta))

    def _speak(self, audio: str) -> None:
        self._talk.tell(server.AudioDelta(**self._where(), delta=audio))

    def _where(self) -> Place:
        """Return where the message's part is, which begins now if it has not yet."""
        message = self._message or self._begin_message()
        return Place(response_id=self.id, item_id=message.id, output_index=self._index, content_index=0)

    def _begin_message(self) -> Item:
        talk = self._talk
        self._index = len(self._output)
        message = self._message = Item(
            id=talk.id_of("item"), type="message", status="in_progress", role="assistant", content=()
        )
        self._output.append(message)
        talk.tell(
            server.OutputItemAdded(response_id=self.id, output_index=self._index, item=talk.shape.item(message))
        )
        self._add(message)
        talk.tell(server.PartAdded(**self._where(), part=self._part("")))
        return message

    def _end_message(self, message: Item, *, status: items.Status) -> None:
        talk, where = self._talk, self._where()
        if self.config.spoken:
            if self._converter is not None and (rest := self._converter.finish()):
                self._speak(b64encode(rest).decode("ascii"))
            talk.tell(server.AudioDone(**where))
            talk.tell(server.TranscriptDone(**where, transcript=self._told))
            content = Content(type="output_audio", transcript=self._told)
        else:
            talk.tell(server.TextDone(**where, text=self._told))
            content = Content(type="output_text", text=self._told)
        talk.tell(server.PartDone(**where, part=self._part(self._told)))
        self._message = None
        if self.glm_item_id is not None:
            talk.history.name(message.id, self.glm_item_id)
        self._end_item(self._index, replace(message, status=status, content=(content,)))

    def _part(self, words: str) -> Content:
        if self.config.spoken:
            return Content(type="audio", transcript=words)
        return Content(type="text", text=words)

    def _add(self, item: Item) -> None:
        if not self._outside:
            self._talk.add(item)

    def _end_item(self, index: int, item: Item) -> None:
        talk = self._talk
        self._output[index] = item
        if not self._outside:
            talk.finish(item)
        talk.tell(server.OutputItemDone(response_id=self.id, output_index=index, item=talk.shape.item(item)))

    def _response(
        self,
        status: ResponseState,
        *,
        details: items.StatusDetails | None = None,
        usage: items.Usage | None = None,
    ) -> server.Response:
        config = self.config
        audio = {"output": {"format": audio_format(config.output_format), "voice": config.voice}}
        response = items.Response(
            id=self.id,
            status=status,
            status_details=details,
            output=tuple(self._output),
            conversation_id=None if self._outside else self._talk.conversation_id,
            output_modalities=config.output_modalities,
            max_output_tokens=config.max_output_tokens,
            audio=audio,
            usage=usage,
            metadata=self._metadata,
        )
        return self._talk.shape.response(response, config)


def usage_of(usage: glm.Usage | None) -> items.Usage:
    """Return what GLM counted; zeros where it did not."""
    if usage is None:
        return items.Usage()
    heard, said = usage.input_token_details or {}, usage.output_token_details or {}
    return items.Usage(
        total_tokens=usage.total_tokens or 0,
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        input_token_details=items.InputTokens(
            text_tokens=count(heard, "text_tokens"),
            audio_tokens=count(heard, "audio_tokens"),
            cached_tokens=count(heard, "cached_tokens"),
        ),
        output_token_details=items.OutputTokens(
            text_tokens=count(said, "text_tokens"), audio_tokens=count(said, "audio_tokens")
        ),
    )


def count(details: Mapping[str, Any], name: str) -> int:
    tokens = details.get(name)
    return tokens if isinstance(tokens, int) else 0
