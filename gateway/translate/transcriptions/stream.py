"""GLM's stream about one part of a recording as OpenAI's events."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from msgspec import UNSET

from gateway.errors import GatewayError
from gateway.glm import transcriptions as glm
from gateway.openai import transcriptions as openai
from gateway.translate.answers import reader_of
from gateway.translate.errors import unreadable
from gateway.translate.sse import DONE, END, event
from gateway.translate.transcriptions.parts import Part
from gateway.translate.transcriptions.transcript import Transcript, joiner, tokens_of

read_chunk = reader_of(glm.TranscriptionChunk)
encode = msgspec.json.Encoder().encode

DELTA = "transcript.text.delta"
"""Of an event that never has the whole text, even where it has an empty one."""


def done(transcript: Transcript) -> bytes:
    """Return the events that end a stream; unlike a whole answer, it has no words for seconds."""
    usage = UNSET if transcript.usage is None else tokens_of(transcript.usage)
    last = openai.TranscriptTextDoneEvent(text=transcript.text, usage=usage)
    return event(encode(last)) + END


class PartStream:
    """
    What GLM says about one part; what it said is kept in the part.

    ``first``: nothing of the recording was said before it, so its text begins without a space.
    """

    slow: ClassVar[bool] = False

    def __init__(self, part: Part, *, first: bool) -> None:
        self.failure: GatewayError | None = None
        self._part = part
        self._first = first
        self._said = ""
        self._space = ""  # Held back: what ends in it is told without.
        self._done = False

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return the caller's events for GLM's."""
        events = []
        for payload in payloads:
            if payload == DONE:
                self._done = True
                break
            try:
                events.append(self._take(read_chunk(payload)))
            except GatewayError as error:
                self.failure = error
                break
        return b"".join(events)

    def finish(self) -> bytes:
        """Return nothing more; raise UpstreamProtocolError when GLM was not done."""
        if not self._done:
            raise unreadable()
        return b""

    def _take(self, chunk: glm.TranscriptionChunk) -> bytes:
        self._part.usage = chunk.usage or self._part.usage
        if chunk.text is None or (chunk.delta and chunk.type == DELTA):
            return self._say(chunk.delta or "")
        # The last event has the whole text, which counts; what no delta said before is said now.
        self._done = True
        self._space = ""
        whole = chunk.text.strip()
        events = self._say(whole.removeprefix(self._said)) if whole.startswith(self._said) else b""
        self._part.text = whole or self._said
        return events

    def _say(self, more: str) -> bytes:
        heard = self._space + more if self._said else more.lstrip()
        more = heard.rstrip()
        self._space = heard[len(more) :]
        if not more:
            return b""
        before = "" if self._first or self._said else joiner(more)
        self._said += more
        self._part.text = self._said
        return event(encode(openai.TranscriptTextDeltaEvent(delta=before + more)))
