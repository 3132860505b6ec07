"""
The text of one answer, whole or as it comes in: what is reasoning, what is markup, and what the caller is told.

Source: docs.bigmodel.cn, GLM-4.5V and GLM-4.1V-Thinking, whose texts hold ``<think>…</think>`` and box markers.
"""

import re

from gateway.translate.chat.plan import Plan
from gateway.translate.chat.structured import ANY_OPENING, JsonText

THINK, END_OF_THINK = "<think>", "</think>"
MARKERS = (THINK, END_OF_THINK, "<|begin_of_box|>", "<|end_of_box|>")
MARKER = re.compile("|".join(map(re.escape, MARKERS)))


class AnswerText:
    """
    Tells an answer's text from what is mixed into it.

    ``json`` holds the JSON that was promised instead of free text, None when none was. ``plain`` says that there
    is nothing to tell apart, so that feeding may be left out.
    """

    def __init__(self, plan: Plan) -> None:
        self.json: JsonText | None = None
        if plan.schema is not None:
            self.json = JsonText(opening=plan.schema.opening)
        elif plan.json_mode:
            self.json = JsonText(opening=ANY_OPENING)
        self._may_be_words = plan.schema is None
        self.plain = self.json is None and not plan.inline_markers
        self._markers = Unmarked() if plan.inline_markers else None

    def feed(self, content: str) -> tuple[str, str]:
        """Return what of ``content`` the caller is told, and what of it is reasoning."""
        thought = ""
        if self._markers is not None:
            content, thought = self._markers.feed(content)
        return (self.json.feed(content) if self.json is not None else content), thought

    def finish(self, *, called: bool) -> tuple[str, str]:
        """
        Return what was held back, in the same two parts.

        That is also what was said where JSON was promised and none came, unless functions were ``called`` instead;
        where a schema was promised, it is a fault.
        """
        content, thought = ("", "") if self._markers is None else self._markers.finish()
        if self.json is not None:
            content = self.json.feed(content)
            if self._may_be_words and not called:
                content += self.json.instead
        return content, thought


class Unmarked:
    """Takes markers out of a text that comes in pieces, however they are cut."""

    def __init__(self) -> None:
        self._thinking = False
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Return the answer and the reasoning in ``text``, but for an end that may begin a marker."""
        text = self._held + text
        whole = len(text) - partial_marker_length(text)
        self._held = text[whole:]
        return self._split(text[:whole])

    def finish(self) -> tuple[str, str]:
        """Return what was held back and turned out to be no marker."""
        held, self._held = self._held, ""
        return self._split(held)

    def _split(self, text: str) -> tuple[str, str]:
        said: list[str] = []
        thought: list[str] = []
        position = 0
        for marker in MARKER.finditer(text):
            (thought if self._thinking else said).append(text[position : marker.start()])
            position = marker.end()
            if marker.group() in (THINK, END_OF_THINK):
                self._thinking = marker.group() == THINK
        (thought if self._thinking else said).append(text[position:])
        return "".join(said), "".join(thought)


def partial_marker_length(text: str) -> int:
    """Return how many characters at the end of ``text`` may be the beginning of a marker."""
    start = text.rfind("<")
    end = text[start:]
    return len(end) if start >= 0 and any(marker.startswith(end) for marker in MARKERS) else 0
