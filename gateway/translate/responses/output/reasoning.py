"""Reasoning while it grows."""

from collections.abc import Callable

from msgspec import UNSET

from gateway.openai.responses import content, events, items
from gateway.translate.responses.output.growing import Events, GrowingItem, Pieces, Place, Spot


class GrowingReasoning(GrowingItem):
    """
    Reasoning, as content or, if it is to be ``summarised``, as the one part of a summary.

    ``seal`` makes the envelope that goes with it once it is whole, None when none was asked for.
    """

    def __init__(self, *, spot: Spot, summarised: bool, seal: Callable[[str], str] | None) -> None:
        super().__init__(spot)
        self._summarised = summarised
        self._seal = seal
        delta = events.SummaryTextDelta if summarised else events.ReasoningTextDelta
        self._pieces = Pieces(delta(sequence_number=0, delta="", **self._place()))

    @property
    def item(self) -> items.ReasoningItem:
        """The item as it is now."""
        text = "".join(self._pieces.text)
        done = self._status != "in_progress"
        return items.ReasoningItem(
            id=self._spot.id,
            summary=[content.SummaryText(text=text)] if text and self._summarised else [],
            content=[content.ReasoningText(text=text)] if text and not self._summarised else [],
            encrypted_content=self._seal(text) if self._seal is not None and done else UNSET,
            status=self._status,
        )

    def think(self, text: str) -> Events:
        """Tell more of the reasoning."""
        return [self._pieces.add(text, number=self._count())]

    def _opening(self) -> Events:
        if self._summarised:
            part = content.SummaryText(text="")
            return [events.SummaryPartAdded(sequence_number=self._count(), part=part, **self._place())]
        text = content.ReasoningText(text="")
        return [events.ContentPartAdded(sequence_number=self._count(), part=text, **self._place())]

    def _ending(self) -> Events:
        text = "".join(self._pieces.text)
        if self._summarised:
            part = content.SummaryText(text=text)
            return [
                events.SummaryTextDone(sequence_number=self._count(), text=text, **self._place()),
                events.SummaryPartDone(sequence_number=self._count(), part=part, **self._place()),
            ]
        whole = content.ReasoningText(text=text)
        return [
            events.ReasoningTextDone(sequence_number=self._count(), text=text, **self._place()),
            events.ContentPartDone(sequence_number=self._count(), part=whole, **self._place()),
        ]

    def _place(self) -> Place:
        part = "summary_index" if self._summarised else "content_index"
        return {**self._spot.place, part: 0}
