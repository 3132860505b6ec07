"""What was said in the user's turns, in writing: told once of each, by GLM or where it leaves one unwritten."""

from gateway.errors import GatewayError
from gateway.openai.realtime import server
from gateway.translate.realtime.recognition import transcription_error
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.unwritten import Unwritten


class Transcripts:
    """
    Tells the client what was said in each turn that is an item.

    ``unwritten`` sees to those that GLM says nothing of.
    """

    def __init__(self, talk: Talk) -> None:
        self.unwritten = Unwritten(talk, tell=self._tell, fail=self._tell_failure)
        self._talk = talk
        self._untold: dict[str, float] = {}
        self._early: str | None = None

    def expect(self, item_id: str, *, seconds: float) -> None:
        """Take it that a turn is an item now; ``seconds`` is how long it was."""
        self._untold[item_id] = seconds
        self.unwritten.take(item_id)
        if self._early is not None:
            early, self._early = self._early, None
            self._settle(item_id, early)

    def skip(self) -> None:
        """Take it that the turn just taken needs no transcript, not even one that has come: it was typed."""
        self._early = None

    def take(self, glm_id: str | None, transcript: str) -> None:
        """Tell what was said in a turn; kept for a moment if the turn is not known yet."""
        item_id = self._whose(glm_id)
        if item_id is None:
            self._early = transcript
        else:
            self._settle(item_id, transcript)

    def fail(self, glm_id: str | None, error: server.TranscriptionError) -> None:
        """Tell that what was said could not be made out."""
        item_id = self._whose(glm_id)
        if item_id is not None and self._untold.pop(item_id, None) is not None:
            self.unwritten.settle(item_id)
            self._talk.tell(server.TranscriptionFailed(item_id=item_id, content_index=0, error=error))

    def _settle(self, item_id: str, transcript: str) -> None:
        self.unwritten.settle(item_id)
        self._tell(item_id, transcript)

    def _tell(self, item_id: str, transcript: str) -> None:
        talk, seconds = self._talk, self._untold.pop(item_id, None)
        if seconds is None:  # It was typed, or is told already.
            return
        talk.history.hear(item_id, transcript)
        if talk.config.transcription is None and talk.strict:
            return
        talk.tell(
            server.TranscriptionCompleted(
                item_id=item_id,
                content_index=0,
                transcript=transcript,
                usage=server.DurationUsage(seconds=round(seconds, 3)),
            )
        )

    def _tell_failure(self, item_id: str, error: GatewayError) -> None:
        self._untold.pop(item_id, None)
        self._talk.tell(
            server.TranscriptionFailed(item_id=item_id, content_index=0, error=transcription_error(error))
        )

    def _whose(self, glm_id: str | None) -> str | None:
        """Return the item that a transcript is of: the one GLM names, else the oldest that has none."""
        item_id = self._talk.history.linked(glm_id)
        return item_id if item_id is not None else next(iter(self._untold), None)
