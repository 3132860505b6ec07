"""Reasoning while it grows."""

from collections.abc import Callable

from msgspec import UNSET

from gateway.openai.responses import content, events, items
from gateway.translate.responses.output.growing import Count, Events, Place


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
        self._pieces: list[str] = []
        self._status: content.Status = "in_progress"

    @property
    def item(self) -> items.ReasoningItem:
        """The item as it is now."""
        text = "".join(self._pieces)
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
        self._pieces.append(text)
        number = self._count()
        if self._summarised:
            return [
                events.SummaryTextDelta(
                    sequence_number=number,
                    item_id=self._id,
                    output_index=self._index,
                    summary_index=0,
                    delta=text,
                )
            ]
        return [
            events.ReasoningTextDelta(
                sequence_number=number, item_id=self._id, output_index=self._index, content_index=0, delta=text
            )
        ]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        text = "".join(self._pieces)
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
