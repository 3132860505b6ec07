"""GLM-Realtime's errors as the taxonomy's: by word, by Zhipu's number, by type, in this order."""

from collections.abc import Mapping

from gateway.errors import GatewayError, InvalidRequest, UpstreamFailed
from gateway.glm.chat import ErrorDetail
from gateway.glm.realtime import server as glm
from gateway.translate.errors import MAX_MESSAGE_CHARACTERS, NOTHING_SAID, from_glm

OK = 200
NOTHING_TO_STOP = "stop_task_error"

SENTENCES: Mapping[str, tuple[type[GatewayError], str]] = {
    "invalid_event": (InvalidRequest, "GLM could not read what it was sent: {said}"),
    "video_model_query_error": (
        InvalidRequest,
        "GLM needs a picture to respond in a call with pictures, or its search failed. Send one and ask again.",
    ),
    "downstream_reconnect_exceeded": (UpstreamFailed, "GLM lost its own connection to the model. Ask again."),
}


def error_of(failure: glm.Failure) -> GatewayError:
    """Return the error that a client is told for one of GLM's."""
    code = str(failure.code) if failure.code is not None else ""
    said = (failure.message or "").strip()[:MAX_MESSAGE_CHARACTERS] or NOTHING_SAID
    if code.isdigit():
        return from_glm(ErrorDetail(code=code, message=failure.message), http_status=OK)
    if code in SENTENCES:
        kind, sentence = SENTENCES[code]
    elif failure.type == "invalid_request_error":
        kind, sentence = InvalidRequest, "GLM refuses this: {said}"
    else:
        kind, sentence = UpstreamFailed, "GLM failed: {said}"
    return kind(f"{sentence.format(said=said)} (GLM {code or failure.type or 'error'})")
