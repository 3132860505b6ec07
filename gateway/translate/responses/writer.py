"""The events of a response, in order, each with its number: what tells one streamed answer."""

from collections.abc import Iterable, Sequence

from gateway.openai.chat import answers as chat
from gateway.openai.chat.chunks import Delta
from gateway.openai.responses import events
from gateway.translate.chat.calls import more_arguments
from gateway.translate.responses.frame import Frame
from gateway.translate.responses.output import Making, Output
from gateway.translate.responses.output.growing import written


class EventWriter:
    """
    Writes a response event by event; the first of them say that it has begun.

    ``reason`` is how the answer ended, None while it has not. ``output`` holds the items.
    """

    def __init__(self, frame: Frame, making: Making) -> None:
        self.output = Output(making)
        self.reason: chat.FinishReason | None = None
        self._frame = frame
        self._begun = False

    def search(self, out: bytearray, links: Sequence[str]) -> None:
        """Tell that the web was searched, and what was found."""
        self._begin(out)
        write(out, self.output.search(links))

    def delta(self, out: bytearray, delta: Delta) -> None:
        """Tell what is added."""
        self._begin(out)
        write(out, self.output.hear(delta))

    def content(self, out: bytearray, more: str) -> None:
        """Tell more of the text."""
        if self.output.open_text is not None:
            self.output.open_text.add_to(out, more, number=self.output.next_number())
        else:
            self.delta(out, Delta(content=more))

    def reasoning(self, out: bytearray, more: str) -> None:
        """Tell more of the reasoning."""
        self.delta(out, Delta(reasoning_content=more))

    def arguments(self, out: bytearray, index: int, more: str) -> None:
        """Tell more of a call's arguments."""
        self.delta(out, more_arguments(index, more, legacy=False))

    def finish(self, out: bytearray, reason: chat.FinishReason) -> None:
        """Tell how each item ended; the end of the whole waits for the tokens."""
        self._begin(out)
        self.reason = reason
        write(out, self.output.finish(reason))

    def _begin(self, out: bytearray) -> None:
        if self._begun:
            return
        self._begun = True
        response = self._frame.response("in_progress")
        number = self.output.next_number
        write(
            out,
            [
                events.ResponseCreated(sequence_number=number(), response=response),
                events.ResponseInProgress(sequence_number=number(), response=response),
            ],
        )


def write(out: bytearray, told: Iterable[events.Event | bytes]) -> None:
    """Append events."""
    for event in told:
        out += event if isinstance(event, bytes) else written(event)
