"""A message while it grows."""

from collections.abc import Sequence

from gateway.openai.responses import content, events, items
from gateway.translate.responses.output.growing import Events, GrowingItem, Pieces, Place, Spot


class GrowingMessage(GrowingItem):
    """A message: one part of text, told in ``pieces``, and a refusal after it or in its place."""

    def __init__(self, *, spot: Spot) -> None:
        super().__init__(spot)
        pattern = events.OutputTextDelta(sequence_number=0, delta="", **self._place(0))
        self.pieces = Pieces(pattern)
        self._notes: list[content.SourceCitation] = []
        self._refusal: str | None = None
        self._has_text = False

    @property
    def item(self) -> items.OutputMessage:
        """The item as it is now."""
        return items.OutputMessage(id=self._spot.id, content=self._parts(), status=self._status)

    def say(self, text: str) -> Events:
        """Tell more text."""
        out = [] if self._has_text else self._open_text()
        if text:
            out.append(self.pieces.add(text, number=self._count()))
        return out

    def annotate(self, notes: Sequence[content.SourceCitation]) -> Events:
        """Tell the sources of the text."""
        out = self._open_text()
        for note in notes:
            out.append(
                events.AnnotationAdded(
                    sequence_number=self._count(),
                    annotation_index=len(self._notes),
                    annotation=note,
                    **self._place(0),
                )
            )
            self._notes.append(note)
        return out

    def refuse(self, refusal: str) -> Events:
        """Tell that the model refuses."""
        place = self._place(len(self._parts()))
        self._refusal = refusal
        empty = content.OutputRefusal(refusal="")
        return [
            events.ContentPartAdded(sequence_number=self._count(), part=empty, **place),
            events.RefusalDelta(sequence_number=self._count(), delta=refusal, **place),
        ]

    def _ending(self) -> Events:
        out: Events = []
        for index, part in enumerate(self._parts()):
            place = self._place(index)
            if isinstance(part, content.OutputText):
                out.append(events.OutputTextDone(sequence_number=self._count(), text=part.text, **place))
            else:
                out.append(events.RefusalDone(sequence_number=self._count(), refusal=part.refusal, **place))
            out.append(events.ContentPartDone(sequence_number=self._count(), part=part, **place))
        return out

    def _open_text(self) -> Events:
        if self._has_text:
            return []
        self._has_text = True
        part = content.OutputText(text="")
        return [events.ContentPartAdded(sequence_number=self._count(), part=part, **self._place(0))]

    def _parts(self) -> list[content.OutputText | content.OutputRefusal]:
        parts: list[content.OutputText | content.OutputRefusal] = []
        if self._has_text:
            parts.append(content.OutputText(text="".join(self.pieces.text), annotations=list(self._notes)))
        if self._refusal is not None:
            parts.append(content.OutputRefusal(refusal=self._refusal))
        return parts

    def _place(self, index: int) -> Place:
        return {**self._spot.place, "content_index": index}
