"""The sound of calls: what clients speak as GLM hears it, and what GLM speaks as clients play it."""

from collections.abc import Callable

from gateway.audio import Resampler, a_law, mu_law
from gateway.openai.realtime.session import FormatType
from gateway.translate.realtime import Converter
from gateway.translate.realtime.sound import GLM_INPUT_HERTZ, GLM_OUTPUT_HERTZ

PCM_HERTZ = 24_000
TELEPHONE_HERTZ = 8_000
LAWS = {"audio/pcmu": mu_law, "audio/pcma": a_law}


class FromTelephone:
    """G.711 to pcm16 at another rate."""

    def __init__(self, decode: Callable[[bytes], bytes], *, to_rate: int) -> None:
        self._decode = decode
        self._resampler = Resampler(from_rate=TELEPHONE_HERTZ, to_rate=to_rate)

    def feed(self, audio: bytes) -> bytes:
        """Return what these bytes become."""
        return self._resampler.feed(self._decode(audio))

    def finish(self) -> bytes:
        """Return what is left."""
        return self._resampler.finish()


class ToTelephone:
    """pcm16 to G.711."""

    def __init__(self, encode: Callable[[bytes], bytes], *, from_rate: int) -> None:
        self._encode = encode
        self._resampler = Resampler(from_rate=from_rate, to_rate=TELEPHONE_HERTZ)

    def feed(self, audio: bytes) -> bytes:
        """Return what these samples become."""
        return self._encode(self._resampler.feed(audio))

    def finish(self) -> bytes:
        """Return what is left."""
        return self._encode(self._resampler.finish())


class CallSound:
    """Makes the converters of a session."""

    def to_glm(self, form: FormatType) -> Converter:
        """Return what turns a client's audio into 16 kHz pcm16."""
        if form == "audio/pcm":
            return Resampler(from_rate=PCM_HERTZ, to_rate=GLM_INPUT_HERTZ)
        return FromTelephone(LAWS[form]().decode, to_rate=GLM_INPUT_HERTZ)

    def to_client(self, form: FormatType) -> Converter | None:
        """Return what turns GLM's 24 kHz pcm16 into a client's form, None where that is the same."""
        if form == "audio/pcm":
            return None
        return ToTelephone(LAWS[form]().encode, from_rate=GLM_OUTPUT_HERTZ)
