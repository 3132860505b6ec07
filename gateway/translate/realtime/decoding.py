"""A client's audio as bytes, within bounds."""

from base64 import b64decode
from binascii import Error as Base64Error

from gateway.errors import InvalidRequest

MAX_AUDIO_BYTES = 15 * 1024 * 1024


def decoded(audio: str, *, param: str) -> bytes:
    """Return what base64 of audio stands for; raise InvalidRequest, whose ``param`` is given, for what is none."""
    try:
        return b64decode(audio, validate=True)
    except (Base64Error, ValueError) as error:
        raise InvalidRequest(
            f"'{param}' is not valid base64; send base64 of the session's input format, without line breaks.",
            param=param,
            code="invalid_value",
        ) from error


def bounded(audio: bytes) -> bytes:
    """Return audio as it is; raise InvalidRequest for too much at once."""
    if len(audio) > MAX_AUDIO_BYTES:
        raise InvalidRequest("'audio' is longer than 15 MiB; send it in pieces.", param="audio")
    return audio
