"""One call's speech: GLM's events, or the bytes of an answer that is no stream, to samples at 24 kHz."""

from collections.abc import Sequence
from typing import ClassVar

from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm import speech as glm
from gateway.glm.chat import ErrorDetail
from gateway.translate.answers import SUCCESS, read_base64, reader_of
from gateway.translate.errors import from_glm
from gateway.translate.sound import Samples
from gateway.translate.speech.joint import Joint
from gateway.translate.sse import DONE

ENDS_BADLY = {"sensitive": "1301", "network_error": "1234"}
"""Reasons to finish that are failures, and the business codes that mean the same."""

read_chunk = reader_of(glm.SpeechChunk)


class PieceStream:
    """
    The samples of one piece of text, pcm16 at 24 kHz.

    ``failure`` is what went wrong inside the stream, None while nothing did.
    """

    slow: ClassVar[bool] = False

    def __init__(self, joint: Joint) -> None:
        self.failure: GatewayError | None = None
        self._joint = joint
        self._samples = Samples(headerless_rate=glm.SAMPLE_RATE)
        self._done = False
        self._heard = False

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Return the samples in these; empty when there are none yet."""
        out = bytearray()
        try:
            for payload in payloads:
                if payload == DONE:
                    self._done = True
                elif not self._done:
                    out += self._take(payload)
        except GatewayError as error:
            self.failure = error
        return self._joint.feed(bytes(out))

    def finish(self) -> bytes:
        """Return the last samples; raise UpstreamProtocolError when GLM was not done, or said nothing."""
        if not self._done:
            raise UpstreamProtocolError("GLM's speech broke off before its end. Ask again.")
        rest = self._samples.finish()
        if not rest and not self._heard:
            raise UpstreamProtocolError("GLM's speech has no sound. Ask again, or for another text.")
        return self._joint.feed(rest) + self._joint.finish()

    def _take(self, payload: bytes) -> bytes:
        if is_binary(payload):
            pcm = self._samples.feed(payload)
        else:
            pcm = b"".join(
                self._samples.feed(read_base64(delta.content), rate=delta.return_sample_rate)
                for delta in read_deltas(payload)
                if delta.content
            )
        self._heard = self._heard or bool(pcm)
        return pcm


def is_binary(payload: bytes) -> bool:
    """Tell samples from JSON: an answer that is no stream comes as one payload."""
    if b"\0" in payload:
        return True
    try:
        payload.decode()
    except UnicodeDecodeError:
        return True
    return False


def read_deltas(payload: bytes) -> list[glm.SpeechDelta]:
    """Return the deltas of an event; raise GatewayError for one that is an error, or cannot be read."""
    chunk = read_chunk(payload)
    for choice in chunk.choices or ():
        if (code := ENDS_BADLY.get(choice.finish_reason or "")) is not None:
            raise from_glm(ErrorDetail(code=code), http_status=SUCCESS)
    return [choice.delta for choice in chunk.choices or () if choice.delta is not None]
