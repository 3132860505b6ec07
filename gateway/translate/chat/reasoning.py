"""How hard to think: OpenAI's efforts and Zhipu's switch, to what each model really takes."""

from collections.abc import Sequence

from msgspec import UNSET

from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import requests as openai
from gateway.translate.endpoint import Context
from gateway.translate.params import Draft

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
OFF = ("none", "minimal")


def convert_reasoning(request: openai.CreateChatCompletionRequest, context: Context, draft: Draft) -> None:
    """
    Set ``thinking`` and ``reasoning_effort`` by the model's row in the catalogue.

    What the caller says wins over the tenant's default; ``thinking`` wins over ``reasoning_effort`` where both
    would set the switch. Raises InvalidRequest when thinking is to be disabled on a model that always thinks.
    """
    traits = context.model.chat_traits
    if traits.thinking == "none":
        draft.ignored.extend(
            name for name in ("reasoning_effort", "thinking") if getattr(request, name) is not None
        )
        return
    switch = request.thinking.type if request.thinking is not None else None
    effort: str | None = request.reasoning_effort
    if effort is None and switch is None:
        effort = context.reasoning_effort
    if effort is None and request.thinking is None:
        return
    if switch == "disabled" and traits.thinking == "always":
        raise always_thinks(context.model.id, efforts=traits.reasoning_efforts)
    if effort is not None and traits.reasoning_efforts:
        draft.fields["reasoning_effort"] = nearest(effort, traits.reasoning_efforts)
        effort = None
    elif effort in OFF and traits.thinking == "always":
        effort = None
    thinking = thinking_of(request.thinking, effort=effort)
    if thinking is not None:
        draft.fields["thinking"] = thinking


def thinking_of(asked: openai.Thinking | None, *, effort: str | None) -> glm.Thinking | None:
    """Return GLM's switch: as the caller set it, or else as the effort implies; None when neither says so."""
    kind = asked.type if asked is not None else None
    if kind is None and effort is not None:
        kind = "disabled" if effort in OFF else "enabled"
    clear = asked.clear_thinking if asked is not None else None
    if kind is None and clear is None:
        return None
    return glm.Thinking(
        type=kind if kind is not None else UNSET,
        clear_thinking=clear if clear is not None else UNSET,
    )


def always_thinks(model: str, *, efforts: Sequence[str]) -> InvalidRequest:
    advice = f"Set 'reasoning_effort' to '{efforts[0]}'" if efforts else "Leave 'thinking' out"
    return InvalidRequest(
        f"{model} always thinks. {advice}, or use glm-4.7.", param="thinking", code="unsupported_value"
    )


def nearest(effort: str, offered: Sequence[str]) -> str:
    """Return the least of the offered efforts that is no less than ``effort``, or the greatest there is."""
    if effort in offered:
        return effort
    ranked = sorted(offered, key=rank)
    return next((one for one in ranked if rank(one) >= rank(effort)), ranked[-1])


def rank(effort: str) -> int:
    """Return where an effort stands among those OpenAI knows; one that only the catalogue knows stands last."""
    return EFFORTS.index(effort) if effort in EFFORTS else len(EFFORTS)
