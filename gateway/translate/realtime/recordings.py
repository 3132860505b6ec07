"""Speech that a client puts into the conversation as an item, which GLM takes by its buffer alone."""

from collections.abc import Sequence

from msgspec import UNSET

from gateway.errors import InvalidRequest
from gateway.openai.realtime.items import Content
from gateway.translate.realtime.decoding import decoded
from gateway.translate.realtime.microphone import MAX_COMMIT_SECONDS, Microphone
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk


class Recordings:
    """Has GLM hear recordings, each as a turn of its own; who detects turns detects none in them."""

    def __init__(self, talk: Talk, *, setup: Setup, microphone: Microphone) -> None:
        self._talk = talk
        self._setup = setup
        self._microphone = microphone

    def read(self, parts: Sequence[Content]) -> bytes:
        """Return what is spoken in a message, as 16 kHz mono s16le; raise InvalidRequest."""
        converter = self._talk.sound.to_glm(self._talk.config.input_format)
        pcm = b"".join(
            converter.feed(decoded(part.audio, param=f"item.content[{number}].audio"))
            for number, part in enumerate(parts)
            if part.type == "input_audio" and part.audio
        )
        pcm += converter.finish()
        if len(pcm) > MAX_COMMIT_SECONDS * INPUT_BYTES_PER_SECOND:
            raise InvalidRequest(
                f"The recording is longer than the {MAX_COMMIT_SECONDS} s that GLM hears at once. Cut it.",
                param="item.content",
                code="input_audio_buffer_too_long",
            )
        return pcm

    def give(self, pcm: bytes, parts: Sequence[Content], *, item_id: str) -> None:
        """Have GLM hear what ``read`` has returned, and have it written down unless the client has done so."""
        written = any(part.transcript for part in parts if part.transcript is not UNSET)
        seconds = None if written else len(pcm) / INPUT_BYTES_PER_SECOND
        with self._setup.without_turns() as detected:
            if detected:
                self._microphone.drop_silence()
            self._microphone.speak(pcm, item_id=item_id, seconds=seconds)
