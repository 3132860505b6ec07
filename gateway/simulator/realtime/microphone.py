"""
What a client appends and does not commit: sound and pictures.

Source: docs.bigmodel.cn, GLM-Realtime: mono, 16 bit; base64 of wav or headerless PCM; 50 messages a second, and
what is more is dropped silently; 30 s where the client says when a turn ends. Samples of the vendor wrap each
slice as a file, others slice one file; users report that bare PCM is not recognised in calls that are set to wav.
"""

import base64
import binascii
import io
import wave

from gateway.simulator.realtime.trouble import Trouble
from gateway.simulator.speech import resample, seconds_of
from gateway.simulator.speech.sound import SAMPLE_BYTES

MESSAGES_PER_SECOND = 50
LONGEST_SECONDS = 30.0
MOST_FRAMES = 60
"""Half a minute at the two frames a second of the vendor's samples; older ones go."""

_JPEG = b"\xff\xd8\xff"


class Allowance:
    """Lets through so many messages a second, and as many at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left = per_second
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Tell whether one more may pass; ``now`` is in seconds of any clock."""
        if self._at is not None:
            self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Microphone:
    """The sound of a turn so far, as headerless PCM at ``rate_hz``, and the pictures that go with it."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.rate_hz = 16000
        self.frames: list[str] = []
        self._allowance = Allowance(MESSAGES_PER_SECOND)
        self._file_goes_on = 0
        self._odd = b""

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return seconds_of(bytes(self.pcm), rate_hz=self.rate_hz)

    def append(self, audio: str, *, form: str, rate_hz: int, now: float) -> bytes:
        """Take a message; gives what was new in it, nothing if it is dropped. Raises Trouble."""
        content = decoded(audio)
        if content is None:
            raise Trouble("audio: base64 of wav or pcm")
        if not self._allowance.take(now):
            return b""
        if form == "wav":
            content, rate_hz = self._unwrapped(content, rate_hz)
        if not self.pcm:
            self.rate_hz = rate_hz
        sound = resample(self._whole_samples(content), from_hz=rate_hz, to_hz=self.rate_hz)
        self.pcm += sound
        return sound

    def append_frame(self, picture: str) -> None:
        """Take a picture; raise Trouble."""
        content = decoded(picture)
        if content is None or not content.startswith(_JPEG):
            raise Trouble("video_frame: base64 of a JPEG")
        self.frames.append(picture)
        del self.frames[:-MOST_FRAMES]

    def keep_latest(self, seconds: float) -> None:
        """Forget all sound but the latest."""
        del self.pcm[: max(0, len(self.pcm) - int(seconds * self.rate_hz) * SAMPLE_BYTES)]

    def take(self) -> tuple[bytes, list[str]]:
        """Return the sound and the pictures of the turn, and begin the next one."""
        taken = bytes(self.pcm), self.frames
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget what was appended."""
        self.pcm, self.frames = bytearray(), []
        self._odd = b""

    def _unwrapped(self, content: bytes, rate_hz: int) -> tuple[bytes, int]:
        if not content.startswith(b"RIFF"):
            # A slice of a file whose header came before; anything else is not recognised.
            sound, self._file_goes_on = content[: self._file_goes_on], max(0, self._file_goes_on - len(content))
            return sound, self.rate_hz if self.pcm else rate_hz
        try:
            with wave.open(io.BytesIO(content)) as file:
                if (file.getnchannels(), file.getsampwidth()) != (1, SAMPLE_BYTES):
                    raise Trouble("audio: mono, 16 bit")
                sound = file.readframes(file.getnframes())
                self._file_goes_on = file.getnframes() * SAMPLE_BYTES - len(sound)
                return sound, file.getframerate()
        except (wave.Error, EOFError) as error:
            raise Trouble("audio: not a wav file") from error

    def _whole_samples(self, content: bytes) -> bytes:
        """Keep half a sample for the next message."""
        content = self._odd + content
        cut = len(content) // SAMPLE_BYTES * SAMPLE_BYTES
        self._odd = content[cut:]
        return content[:cut]


def decoded(text: str) -> bytes | None:
    """Return what a base64 text holds; None if it is none, or empty."""
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None
