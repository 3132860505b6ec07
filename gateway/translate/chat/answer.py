"""What whole answers and streams have in common: reading, how they end, tokens, sources."""

from collections.abc import Sequence

from gateway.errors import UpstreamFailed
from gateway.glm import chat as glm
from gateway.openai.chat import answers as openai
from gateway.translate.answers import reader_of

FINISH_REASONS: dict[str, openai.FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "sensitive": "content_filter",
    "model_context_window_exceeded": "length",
}

read = reader_of(glm.ChatAnswer)
"""Reads a completion or chunk."""


def check_ending(reason: str | None) -> None:
    """Raise UpstreamFailed for the word that says that there is no answer: GLM's fault."""
    if reason == "network_error":
        raise UpstreamFailed("GLM's inference broke off (network_error). Ask again.")


def finish_reason(reason: str | None, *, called: bool, legacy: bool) -> openai.FinishReason:
    """
    Return OpenAI's word for how the answer ended; raise UpstreamFailed for ``network_error``.

    Agents stop when calls were made and the word is not ``tool_calls``.
    """
    check_ending(reason)
    word = FINISH_REASONS.get(reason or "stop", "stop")
    if called and word in ("stop", "tool_calls"):
        return "function_call" if legacy else "tool_calls"
    return "stop" if word == "tool_calls" else word


def text_of(content: object) -> str:
    """Return content as a string; vision models may answer with a list of text parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def usage_to_openai(usage: glm.Usage | None) -> openai.CompletionUsage:
    """Return the tokens as OpenAI tells them; zeros when GLM did not say."""
    usage = usage or glm.Usage()
    prompt = usage.prompt_tokens_details
    completion = usage.completion_tokens_details
    return openai.CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens or usage.prompt_tokens + usage.completion_tokens,
        prompt_tokens_details=openai.PromptTokensDetails(
            cached_tokens=(prompt.cached_tokens if prompt is not None else 0) or 0
        ),
        completion_tokens_details=openai.CompletionTokensDetails(
            reasoning_tokens=(completion.reasoning_tokens if completion is not None else 0) or 0
        ),
    )


def add_usage(first: glm.Usage | None, second: glm.Usage | None) -> glm.Usage | None:
    """Return the sum of what two calls used; None counts as not told."""
    if first is None or second is None:
        return first or second
    one, other = usage_to_openai(first), usage_to_openai(second)
    return glm.Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
        prompt_tokens_details=glm.CachedTokens(
            cached_tokens=one.prompt_tokens_details.cached_tokens + other.prompt_tokens_details.cached_tokens
        ),
        completion_tokens_details=glm.ReasoningTokens(
            reasoning_tokens=one.completion_tokens_details.reasoning_tokens
            + other.completion_tokens_details.reasoning_tokens
        ),
    )


def citations(results: Sequence[glm.SearchResult], *, text: str) -> list[openai.Annotation]:
    """
    Return the sources of a searched answer.

    A source that the text marks (``[ref_1]``) is placed at its first mark, any other at the end of the text.
    """
    return [citation(result, text=text) for result in results if result.link]


def citation(result: glm.SearchResult, *, text: str) -> openai.Annotation:
    mark = f"[{result.refer}]" if result.refer else ""
    start = text.find(mark) if mark else -1
    placed = (start, start + len(mark)) if start >= 0 else (len(text), len(text))
    return openai.Annotation(
        url_citation=openai.UrlCitation(
            start_index=placed[0],
            end_index=placed[1],
            title=result.title or result.link or "",
            url=result.link or "",
        )
    )
