"""The fate of every parameter of a request for speech."""

from gateway.openai.speech import CreateSpeechRequest
from gateway.translate.endpoint import Context
from gateway.translate.params import MODEL, Converted, Draft, Ignored, Rule, Same

SLOWEST, FASTEST = 0.5, 2.0


def speed(request: CreateSpeechRequest, _context: Context, draft: Draft) -> None:
    """GLM speaks at half to twice the usual speed; beyond that it is as slow or fast as it can be."""
    assert request.speed is not None  # noqa: S101 - conversions run for fields that came
    draft.fields["speed"] = min(FASTEST, max(SLOWEST, request.speed))


SPEECH: dict[str, Rule] = {
    "model": MODEL,
    "input": Converted(
        "input",
        note="above 1024 characters in pieces, cut where sentences end; while one is heard the next is asked for",
    ),
    "voice": Converted(
        "voice", note="OpenAI's names by the table of `[speech.voices]`; GLM's own and ids of cloned voices pass"
    ),
    "instructions": Ignored("GLM's speech takes no instructions."),
    "response_format": Converted("", note="GLM's samples are made into mp3, opus, aac, flac, wav or pcm (24 kHz)"),
    "speed": Converted("speed", by=speed, note="brought into GLM's 0.5 to 2"),
    "stream_format": Converted("", note="the bytes of the file as they come, or events with them as base64"),
    "volume": Same("Zhipu's own; above 0, up to 10"),
    "watermark_enabled": Same("Zhipu's own"),
    "request_id": Same("Zhipu's own; it goes with the first piece"),
    "user_id": Same("Zhipu's own"),
}
"""One row for every field of a request; in the order in which the README lists them."""
