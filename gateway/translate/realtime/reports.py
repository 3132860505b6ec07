"""What GLM reports of a call, event by event."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.errors import GatewayError
from gateway.glm.realtime import server as glm
from gateway.openai.realtime import server
from gateway.translate.realtime.conversing import Conversing
from gateway.translate.realtime.glm_errors import NOTHING_TO_STOP, error_of
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.responder import Responder
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.taking_turns import TurnTaking
from gateway.translate.realtime.talk import Talk

LIMIT_NAMES = {"requests", "tokens"}

encode = msgspec.json.Encoder().encode


class Reports:
    """Tells each part of a call what GLM says of it; what is nobody's business is passed over."""

    def __init__(
        self,
        talk: Talk,
        *,
        setup: Setup,
        microphone: Microphone,
        turns: TurnTaking,
        responder: Responder,
        conversing: Conversing,
    ) -> None:
        self._talk = talk
        self._setup = setup
        self._microphone = microphone
        self._turns = turns
        self._responder = responder
        self._conversing = conversing

    def take(self, event: glm.Received | None) -> None:
        """Take an event, None for one that could not be read."""
        report = REPORTS.get(type(event))
        if report is not None:
            report(self, event)

    def error(self, event: glm.Error) -> None:
        """Take an error; one that may be about the account is not the client's business yet."""
        if event.error.code == NOTHING_TO_STOP:
            self._responder.find_nothing_to_stop()
            return
        error = error_of(event.error)
        if error.glm_code is None:
            self.blame(error)
        else:
            self._talk.report(error)

    def blame(self, error: GatewayError) -> None:
        """Find out whose error it is: GLM does not say which event it is about, but answers in their order."""
        commits = self._microphone.commits
        waiting = commits.waiting
        if waiting and not self._setup.asked_before(waiting[0].number):
            self._talk.refuse(error, event_id=waiting[0].event_id)
            commits.give_up()
        elif not self._setup.settled:
            self._setup.fail(error)
            self._turns.follow()
        elif self._conversing.settle_deletion() or self._responder.miscarry():
            return  # Its client knows that it is over.
        elif not self._responder.fail(error):
            self._talk.refuse(error)

    def deletion(self, event: glm.ItemDeleted) -> None:
        """Take it that GLM has taken an item out."""
        del event
        self._conversing.settle_deletion()

    def confirmation(self, event: object) -> None:
        """Take it that GLM has taken an update."""
        del event
        self._setup.confirm()

    def item(self, event: glm.ItemCreated) -> None:
        """Take an item that is the user's turn; all others are known."""
        content = event.item.content or [{}]
        spoken = event.item.role == "user" and content[0].get("type") == "input_audio"
        if spoken and self._microphone.commits.awaits_item:
            self._microphone.commits.confirm(event.item.id, by="item")

    def transcript(self, event: glm.TranscriptionCompleted) -> None:
        """Take what was said in a turn."""
        self._microphone.transcripts.take(event.item_id, event.transcript or "")

    def failed_transcript(self, event: glm.TranscriptionFailed) -> None:
        """Take it that a turn could not be made out."""
        failure = event.error
        self._microphone.transcripts.fail(
            event.item_id,
            server.TranscriptionError(
                type="server_error",
                code=str(failure.code) if failure.code is not None else None,
                message="GLM could not make out what was said.",
            ),
        )

    def speech_start(self, event: glm.SpeechStarted) -> None:
        """Take it that the user begins to speak."""
        self._microphone.start_speech(self._microphone.moment_ms(event.audio_start_ms))
        self._responder.interrupt()

    def speech_stop(self, event: glm.SpeechStopped) -> None:
        """Take it that the user has ended."""
        self._microphone.stop_speech(self._microphone.moment_ms(event.audio_end_ms))

    def response(self, event: glm.ResponseCreated) -> None:
        """Take it that a response begins."""
        self._responder.announce(event.response.id)

    def text(self, event: glm.TextDelta) -> None:
        """Take more of what is written."""
        if answer := self._responder.find(event.response_id):
            answer.glm_item_id = event.item_id or answer.glm_item_id
            answer.add_text(event.delta or "")

    def text_end(self, event: glm.TextDone) -> None:
        """Take all that is written."""
        if answer := self._responder.find(event.response_id):
            answer.end_text(event.text)

    def spoken_text(self, event: glm.TranscriptDelta) -> None:
        """Take more of what is spoken, in writing."""
        if answer := self._responder.find(event.response_id):
            answer.glm_item_id = event.item_id or answer.glm_item_id
            answer.add_transcript(event.delta or "")

    def spoken_text_end(self, event: glm.TranscriptDone) -> None:
        """Take all that is spoken, in writing."""
        if answer := self._responder.find(event.response_id):
            answer.end_transcript(event.transcript)

    def audio(self, event: glm.AudioDelta) -> None:
        """Take more of the voice."""
        if answer := self._responder.find(event.response_id):
            answer.add_audio(event.delta or "")

    def call(self, event: glm.ArgumentsDone) -> None:
        """Take a call of a function."""
        given = event.arguments
        arguments = encode(given).decode() if isinstance(given, dict) else given or ""
        self._responder.call(event.response_id, event.name or "", arguments)

    def limits(self, event: glm.RateLimitsUpdated | glm.RateLimitsUpdatedToo) -> None:
        """Tell what GLM says of its limits, as far as clients know their names."""
        limits = tuple(
            server.RateLimit(
                name=limit.name or "",
                limit=limit.limit or 0,
                remaining=limit.remaining or 0,
                reset_seconds=limit.reset_seconds or 0.0,
            )
            for limit in event.rate_limits or ()
            if limit.name in LIMIT_NAMES
        )
        if limits:
            self._talk.tell(server.RateLimitsUpdated(rate_limits=limits))

    def commit(self, event: glm.AudioCommitted) -> None:
        """Take it that GLM has taken a turn."""
        self._microphone.commits.confirm(event.item_id, by="commit")

    def cancellation(self, event: glm.ResponseCancelled) -> None:
        """Take it that a response was stopped."""
        self._responder.end(event.response, cancelled=True)

    def end(self, event: glm.ResponseDone) -> None:
        """Take it that a response has ended."""
        self._responder.end(event.response, cancelled=False)


REPORTS: Mapping[type, Callable[[Reports, Any], None]] = {
    glm.Error: Reports.error,
    glm.SessionUpdated: Reports.confirmation,
    glm.TranscriptionSessionUpdated: Reports.confirmation,
    glm.TranscriptionSessionUpdatedToo: Reports.confirmation,
    glm.ItemCreated: Reports.item,
    glm.ItemDeleted: Reports.deletion,
    glm.TranscriptionCompleted: Reports.transcript,
    glm.TranscriptionFailed: Reports.failed_transcript,
    glm.AudioCommitted: Reports.commit,
    glm.SpeechStarted: Reports.speech_start,
    glm.SpeechStopped: Reports.speech_stop,
    glm.ResponseCreated: Reports.response,
    glm.ResponseCancelled: Reports.cancellation,
    glm.ResponseDone: Reports.end,
    glm.TextDelta: Reports.text,
    glm.TextDone: Reports.text_end,
    glm.TranscriptDelta: Reports.spoken_text,
    glm.TranscriptDone: Reports.spoken_text_end,
    glm.AudioDelta: Reports.audio,
    glm.ArgumentsDone: Reports.call,
    glm.RateLimitsUpdated: Reports.limits,
    glm.RateLimitsUpdatedToo: Reports.limits,
}
