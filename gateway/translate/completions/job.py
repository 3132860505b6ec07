"""A completion as a job: a chat with a call for each text, told without anything but the texts."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from gateway.openai import completions as openai
from gateway.openai.chat import answers as chat
from gateway.openai.chat.chunks import Delta
from gateway.translate.chat import answer
from gateway.translate.chat.job import ChatJob
from gateway.translate.chat.plan import Plan
from gateway.translate.sse import END, event

encode = msgspec.json.Encoder().encode

FINISH_REASONS: dict[chat.FinishReason, openai.FinishReason] = {
    "length": "length",
    "content_filter": "content_filter",
}


class TextWriter:
    """Writes one text as events; see the port. Thoughts and sources are not told."""

    def __init__(self, plan: Plan, *, index: int) -> None:
        self._plan = plan
        self._index = index

    def search(self, out: bytearray, links: Sequence[str]) -> None:
        """Append nothing."""

    def delta(self, out: bytearray, delta: Delta) -> None:
        """Append the text that ``delta`` adds, if it adds any."""
        if isinstance(delta.content, str):
            self.content(out, delta.content)

    def content(self, out: bytearray, more: str) -> None:
        """Append the text."""
        if more:
            out += self._event([openai.CompletionChoice(text=more, index=self._index)])

    def reasoning(self, out: bytearray, more: str) -> None:
        """Append nothing."""

    def arguments(self, out: bytearray, index: int, more: str) -> None:
        """Append nothing."""

    def finish(self, out: bytearray, reason: chat.FinishReason) -> None:
        """Append the chunk that ends the text."""
        out += self._event([choice_of("", reason, index=self._index)])

    def usage(self, usage: chat.CompletionUsage) -> bytes:
        """Return the chunk that tells what all texts together used."""
        return self._event([], usage=usage)

    def _event(
        self, choices: list[openai.CompletionChoice], *, usage: chat.CompletionUsage | UnsetType | None = UNSET
    ) -> bytes:
        plan = self._plan
        if usage is UNSET and plan.include_usage:
            usage = None
        chunk = openai.CreateCompletionResponse(
            id=plan.id, created=plan.created, model=plan.model, choices=choices, usage=usage
        )
        return event(encode(chunk))


class CompletionJob(ChatJob):
    """A chat whose answers are told as texts; a call for each of ``requests``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        plan = self.plan
        self.writer = lambda index: TextWriter(plan, index=index)

    def result(self) -> bytes:
        """Return the texts, once every call has been received."""
        plan = self.plan
        texts = [
            choice_of(choice.message.content or "", choice.finish_reason, index=choice.index)
            for choice in self.choices
        ]
        return encode(
            openai.CreateCompletionResponse(
                id=plan.id,
                created=plan.created,
                model=plan.model,
                choices=texts,
                usage=answer.usage_to_openai(self.usage),
            )
        )

    def close(self) -> bytes:
        """Return the usage, if it was asked for, and the end of the stream."""
        if not self.plan.include_usage:
            return END
        return TextWriter(self.plan, index=0).usage(answer.usage_to_openai(self.usage)) + END


def choice_of(text: str, reason: chat.FinishReason, *, index: int) -> openai.CompletionChoice:
    return openai.CompletionChoice(text=text, index=index, finish_reason=FINISH_REASONS.get(reason, "stop"))
