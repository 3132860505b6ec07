"""What becomes of every event of both sides, in both shapes, as the README tells it."""

from collections.abc import Mapping

CLIENT_FATES: Mapping[str, str] = {
    "session.update": "merged, and sent to GLM whole; `session.updated` follows GLM's confirmation",
    "transcription_session.update": "as `session.update`; answered by `transcription_session.updated` in beta",
    "input_audio_buffer.append": "to 16 kHz, in frames of 100 ms or more, at most 40 messages a second",
    "input_audio_buffer.append_video_frame": "Zhipu's own event: passes, and begins a call with pictures",
    "input_audio_buffer.commit": "passes after the last frame, and GLM detects no turns for that moment; refused "
    "when empty or longer than 30 s",
    "input_audio_buffer.clear": "passes; answered at once",
    "output_audio_buffer.clear": "refused: it is for WebRTC",
    "conversation.item.create": "messages and outputs of functions pass, recordings as turns of their own; "
    "answered at once",
    "conversation.item.retrieve": "answered here, with the transcript",
    "conversation.item.delete": "passes if GLM knows the item; answered at once",
    "conversation.item.truncate": "answered here; GLM remembers the whole answer",
    "response.create": "passes alone, and once the outputs of all calls are there, or 5 s later; what it says of "
    'itself is a `session.update` before and after it; with `conversation: "none"` a chat model writes the '
    "response, and GLM-TTS reads it out",
    "response.cancel": "passes if a response is under way, which ends at once; an error otherwise",
}
"""A client's events; what is not here is answered by an `error` event."""

GLM_FATES: Mapping[str, str] = {
    "error": "`error`, with the `event_id` of the client's event at fault where there is one",
    "session.created": "swallowed: the client has its own",
    "session.updated": "`session.updated`, if the client has asked for the update",
    "transcription_session.updated": "as `session.updated`",
    "transcription.session.updated": "as `session.updated`",
    "conversation.created": "swallowed",
    "conversation.item.created": "swallowed: the client knows its items, and those of responses have other events",
    "conversation.item.deleted": "swallowed: answered before",
    "conversation.item.retrieved": "swallowed: never asked for",
    "conversation.item.input_audio_transcription.completed": "same, with `usage`",
    "conversation.item.input_audio_transcription.failed": "same",
    "input_audio_buffer.committed": "same, then `conversation.item.added` and `.done`",
    "input_audio_buffer.cleared": "swallowed: answered before",
    "input_audio_buffer.speech_started": "same, with the id that the item will have",
    "input_audio_buffer.speech_stopped": "same",
    "response.created": "same, whole; cancelled instead where the client wants no automatic responses",
    "response.cancelled": "what is open is closed, then `response.done`",
    "response.done": "what is open is closed, then the same, with output and usage",
    "response.output_item.added": "swallowed: told when it is known whether it is a message or a call",
    "response.output_item.done": "swallowed: told at the end",
    "response.content_part.added": "swallowed: told with the first delta",
    "response.content_part.done": "swallowed: told at the end",
    "response.text.delta": "`response.output_text.delta` of a written response; kept in case no transcript comes",
    "response.text.done": "completes the text",
    "response.audio_transcript.delta": "`response.output_audio_transcript.delta` of a spoken response",
    "response.audio_transcript.done": "completes the transcript",
    "response.audio.delta": "`response.output_audio.delta`, in the client's format",
    "response.audio.done": "swallowed: told at the end",
    "response.function_call_arguments.done": "a whole `function_call` item, with ids of its own",
    "response.function_call.simple_browser": "swallowed: Zhipu's own search",
    "rate_limits.updated": "same",
    "rate_limites.updated": "`rate_limits.updated`",
    "heartbeat": "swallowed",
}
"""GLM's events; what is not here is counted, and swallowed."""
