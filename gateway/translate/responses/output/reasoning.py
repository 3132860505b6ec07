"""Reasoning while it grows."""

from collections.abc import Callable

from msgspec import UNSET

from gateway.openai.responses import content, events, items
from gateway.translate.responses.output.growing import Count, Events, Pieces, Place


class GrowingReasoning:
    """
    Reasoning, as content or, if it is to be ``summarised``, as the one part of a summary.

    ``seal`` makes the envelope that goes with it once it is whole, None when none was asked for.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002
        index: int,
        count: Count,
        summarised: bool,
        seal: Callable[[str], str] | None,
    ) -> None:
        self._index = index
        self._id = id
        self._count = count
        self._summarised = summarised
        self._seal = seal
        delta = events.SummaryTextDelta if summarised else events.ReasoningTextDelta
        self._pieces = Pieces(delta(sequence_number=0, delta="", **self._place()))
        self._status: content.Status = "in_progress"

    @property
    def item(self) -> items.ReasoningItem:
        """The item as it is now."""
        text = "".join(self._pieces.text)
        done = self._status != "in_progress"
        return items.ReasoningItem(
            id=self._id,
            summary=[content.SummaryText(text=text)] if text and self._summarised else [],
            content=[content.ReasoningText(text=text)] if text and not self._summarised else [],
            encrypted_content=self._seal(text) if self._seal is not None and done else UNSET,
            status=self._status,
        )

    def begin(self) -> Events:
        """Announce the item and its only part."""
        added = events.OutputItemAdded(sequence_number=self._count(), output_index=self._index, item=self.item)
        number = self._count()
        if self._summarised:
            part = content.SummaryText(text="")
            return [added, events.SummaryPartAdded(sequence_number=number, part=part, **self._place())]
        text = content.ReasoningText(text="")
        return [added, events.ContentPartAdded(sequence_number=number, part=text, **self._place())]

    def think(self, text: str) -> Events:
        """Tell more of the reasoning."""
        return [self._pieces.add(text, number=self._count())]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        text = "".join(self._pieces.text)
        out: Events
        if self._summarised:
            part = content.SummaryText(text=text)
            out = [
                events.SummaryTextDone(sequence_number=self._count(), text=text, **self._place()),
                events.SummaryPartDone(sequence_number=self._count(), part=part, **self._place()),
            ]
        else:
            whole = content.ReasoningText(text=text)
            out = [
                events.ReasoningTextDone(sequence_number=self._count(), text=text, **self._place()),
                events.ContentPartDone(sequence_number=self._count(), part=whole, **self._place()),
            ]
        done = events.OutputItemDone(sequence_number=self._count(), output_index=self._index, item=self.item)
        return [*out, done]

    def _place(self) -> Place:
        part = "summary_index" if self._summarised else "content_index"
        return {"item_id": self._id, "output_index": self._index, part: 0}
