"""GLM's sound, whole and piece by piece: wav files, or samples alone, whose rate one has to know."""

from gateway.audio import SPEECH_RATE, Bounds, Resampler, Sound, plain_sound, sound_of
from gateway.audio.pcm import MAX_RATE, MIN_RATE
from gateway.errors import InvalidRequest
from gateway.translate.errors import unreadable


def whole_sound(data: bytes, *, headerless_rate: int) -> Sound:
    """Return the samples of GLM's: in a wav file, or alone; raise UpstreamProtocolError for what is neither."""
    try:
        return sound_of(data, headerless_rate=headerless_rate, bounds=Bounds())
    except InvalidRequest as error:
        raise unreadable() from error


class Samples:
    """
    Pieces of GLM's sound, each a wav file or samples alone, to pcm16 at 24 kHz, as if they had come in one piece.

    Samples alone go on where the piece before them ended: at its rate, and in the middle of a sample if it did.
    The first are at ``headerless_rate``, in Hz.
    """

    def __init__(self, *, headerless_rate: int) -> None:
        self._rate = headerless_rate
        self._resampler = Resampler(from_rate=headerless_rate, to_rate=SPEECH_RATE)

    def feed(self, data: bytes, *, rate: int | None = None) -> bytes:
        """
        Return the samples that a piece completes; ``rate`` is that of samples alone, where it is told beside them.

        Raises UpstreamProtocolError for a file that is no sound, and for a rate of none.
        """
        if data[:4] != b"RIFF":
            return self._switch(rate or self._rate) + self._resampler.feed(data)
        sound = plain_sound(data) or whole_sound(data, headerless_rate=self._rate)
        return self._switch(sound.sample_rate) + self._resampler.feed(sound.pcm)

    def finish(self) -> bytes:
        """Return what is left."""
        return self._resampler.finish()

    def _switch(self, rate: int) -> bytes:
        """Go on at a rate; return what is left of the sound before, if that was at another."""
        if rate == self._rate:
            return b""
        if not MIN_RATE <= rate <= MAX_RATE:
            raise unreadable()
        rest = self._resampler.finish()
        self._rate = rate
        self._resampler = Resampler(from_rate=rate, to_rate=SPEECH_RATE)
        return rest
