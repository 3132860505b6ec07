"""The realtime call of ``glm-gateway demo``: a question asked aloud, and the answer as it is spoken."""

import base64
from threading import Timer
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from websockets.exceptions import InvalidStatus, WebSocketException

if TYPE_CHECKING:  # openai is not among the gateway's own dependencies
    from openai import OpenAI

SAID_EVENTS = frozenset({"response.output_audio_transcript.delta", "response.output_text.delta"})


class Answer(Struct):
    """What was heard: samples at 24 kHz, and their words."""

    samples: bytes = b""
    words: str = ""


def call(client: "OpenAI", *, model: str, question: bytes, timeout_seconds: float) -> Answer:
    """
    Return how a question, in samples at 24 kHz, is answered in a call of its own.

    Raises ValueError for whatever goes wrong, also when the call lasts longer than ``timeout_seconds``.
    """
    try:
        with client.realtime.connect(model=model) as connection:
            limit = Timer(timeout_seconds, connection.close)
            limit.start()
            try:
                _ask(connection, question)
                return _listen(connection)
            finally:
                limit.cancel()
    except InvalidStatus as error:
        raise ValueError((error.response.body or b"").decode(errors="replace") or str(error)) from error
    except (WebSocketException, OSError) as error:
        raise ValueError(f"The call broke off: {error}") from error


def _ask(connection: Any, question: bytes) -> None:
    """Say it all at once, and that this is all; the server need not listen for the end of it."""
    listening: Any = {"turn_detection": None}
    connection.session.update(session={"type": "realtime", "audio": {"input": listening}})
    connection.input_audio_buffer.append(audio=base64.b64encode(question).decode())
    connection.input_audio_buffer.commit()
    connection.response.create()


def _listen(connection: Any) -> Answer:
    answer = Answer()
    for event in connection:
        if event.type == "response.output_audio.delta":
            answer.samples += base64.b64decode(event.delta)
        elif event.type in SAID_EVENTS:
            answer.words += event.delta
        elif event.type == "error":
            raise ValueError(event.error.message)
        elif event.type == "response.done":
            if event.response.status != "completed":
                raise ValueError(f"The answer was {event.response.status}.")
            return answer
    raise ValueError("The call ended before the answer did.")
