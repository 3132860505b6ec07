"""How hard to think: OpenAI's efforts and Zhipu's switch, to what each model really takes."""

from collections.abc import Sequence

from msgspec import UNSET

from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai import chat as openai
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
    model = context.model
    traits = model.chat
    if traits is None or traits.thinking == "none":
        draft.ignored.extend(
            name for name in ("reasoning_effort", "thinking") if getattr(request, name) is not None
        )
        return
    effort: str | None = request.reasoning_effort
    if effort is None and request.thinking is None:
        effort = context.reasoning_effort
    refuse_impossible(request.thinking, model=model)
    if effort is not None and traits.reasoning_efforts:
        draft.fields["reasoning_effort"] = nearest(effort, traits.reasoning_efforts)
    switch = thinking_of(request.thinking, effort=effort if not traits.reasoning_efforts else None)
    if switch is not None:
        draft.fields["thinking"] = switch


def thinking_of(asked: openai.Thinking | None, *, effort: str | None) -> glm.Thinking | None:
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


def refuse_impossible(asked: openai.Thinking | None, *, model: Model) -> None:
    traits = model.chat
    if asked is None or asked.type != "disabled" or traits is None or traits.thinking != "always":
        return
    lowest = traits.reasoning_efforts[0] if traits.reasoning_efforts else None
    advice = f"Set 'reasoning_effort' to '{lowest}'" if lowest is not None else "Leave 'thinking' out"
    raise InvalidRequest(f"{model.id} always thinks. {advice}, or use glm-4.7.", param="thinking")


def nearest(effort: str, offered: Sequence[str]) -> str:
    """Return the least of the offered efforts that is no less than ``effort``, or the greatest there is."""
    if effort in offered:
        return effort
    ranked = sorted(offered, key=EFFORTS.index)
    return next((one for one in ranked if EFFORTS.index(one) >= EFFORTS.index(effort)), ranked[-1])
