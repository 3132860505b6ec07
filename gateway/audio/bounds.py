"""How much of a recording is read, and what is said about one that goes beyond or cannot be read."""

from collections.abc import Callable

from msgspec import Struct

from gateway.errors import InvalidRequest

TOO_LONG = "audio_too_long"
"""The code of the refusal of what is longer than allowed."""

TAKEN = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, opus, wav or webm"


def never() -> bool:
    """Return that there is time."""
    return False


class Bounds(Struct, frozen=True, kw_only=True):
    """
    What a recording may cost before it is refused.

    ``max_decoded_bytes`` counts samples as they leave the decoder, at the rate and channels of the recording.
    ``expired`` is asked between steps whether time is up. ``param`` names the request's field in errors.
    """

    max_seconds: float = 7200.0
    max_decoded_bytes: int = 16 * 1024**3
    expired: Callable[[], bool] = never
    param: str = "file"

    def check_time(self) -> None:
        """Raise InvalidRequest once time is up."""
        if self.expired():
            raise self.refusal("The audio takes too long to decode. Send less at once, or another format.")

    def check_seconds(self, seconds: float) -> None:
        """Raise InvalidRequest when the recording is longer than this."""
        if seconds > self.max_seconds:
            raise self.refusal(
                f"The audio is longer than the {self.max_seconds:g} s that are taken. Cut it into parts.",
                code=TOO_LONG,
            )

    def refusal(self, message: str, *, code: str = "invalid_audio") -> InvalidRequest:
        """Return the error for audio that cannot be taken."""
        return InvalidRequest(message, param=self.param, code=code)

    def unreadable(self) -> InvalidRequest:
        """Return the error for what starts like audio and cannot be decoded."""
        return self.refusal(f"The audio is damaged or of a kind that cannot be decoded. Send {TAKEN}.")

    def unknown(self) -> InvalidRequest:
        """Return the error for what does not look like audio at all."""
        return self.refusal(f"This is not audio of a known format. Send {TAKEN}.")
