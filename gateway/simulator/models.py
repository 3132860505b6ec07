"""
The models the stand-in knows, with their sizes and limits. Data only.

Sources: docs.bigmodel.cn model pages and the chat completion reference (OpenAPI of 2026-07), the "core parameters"
page for output sizes, the rate limit page. Where the platform publishes no limit the console's number for V0
stands, and higher tiers get 2, 4 and 8 times as much, so that a careful caller is never refused.
"""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Family = Literal["text", "vision", "voice"]
Thinking = Literal["none", "switchable", "mandatory", "unasked"]

_K = 1024


class ChatModel(Struct, frozen=True, kw_only=True):
    """
    One chat model.

    ``in_flight`` is for V0 to V3. ``images`` is how many pictures a request may hold. ``tools`` names the kinds
    of tool it takes. ``thinking`` is ``mandatory`` where it cannot be switched off, ``unasked`` where there is not
    even a field for it. ``efforts`` are the words ``reasoning_effort`` takes; None accepts any on text models,
    without effect.
    """

    id: str
    family: Family = "text"
    context_tokens: int
    output_tokens: int
    default_tokens: int
    in_flight: tuple[int, int, int, int]
    free: bool = False
    images: int = 0
    documents: bool = False
    base64_images: bool = True
    tools: frozenset[str] = frozenset()
    tool_stream: bool = False
    thinking: Thinking = "none"
    efforts: frozenset[str] | None = None
    json_object: bool = False


def _grown(at_v0: int) -> tuple[int, int, int, int]:
    return (at_v0, at_v0 * 2, at_v0 * 4, at_v0 * 8)


_FUNCTIONS = frozenset({"function"})
_ALL_TOOLS = _FUNCTIONS | {"retrieval", "web_search", "mcp"}
_EFFORTS_5_2 = frozenset({"max", "xhigh", "high", "medium", "low", "minimal", "none"})
_EFFORTS_5_3 = frozenset({"low", "high", "max"})

_GLM_5 = ChatModel(
    id="glm-5",
    context_tokens=200 * _K,
    output_tokens=128 * _K,
    default_tokens=64 * _K,
    in_flight=_grown(5),
    tools=_ALL_TOOLS,
    tool_stream=True,
    thinking="switchable",
    json_object=True,
)
_GLM_5_2 = replace(_GLM_5, id="glm-5.2", context_tokens=1024 * _K, efforts=_EFFORTS_5_2)
_GLM_5_3 = replace(_GLM_5_2, id="glm-5.3", tool_stream=False, thinking="mandatory", efforts=_EFFORTS_5_3)
_GLM_5_3_FLASH = replace(
    _GLM_5_3, id="glm-5.3-flash", family="vision", images=50, documents=True, tools=_FUNCTIONS
)
_GLM_4_6 = replace(_GLM_5, id="glm-4.6", in_flight=_grown(3))
_GLM_4_5 = ChatModel(
    id="glm-4.5",
    context_tokens=128 * _K,
    output_tokens=96 * _K,
    default_tokens=64 * _K,
    in_flight=_grown(10),
    tools=_ALL_TOOLS,
    thinking="switchable",
    json_object=True,
)
_GLM_4 = ChatModel(
    id="glm-4-plus",
    context_tokens=128 * _K,
    output_tokens=4095,
    default_tokens=1024,
    in_flight=_grown(20),
    tools=_ALL_TOOLS,
    json_object=True,
)
_GLM_4_LARGE = replace(_GLM_4, id="glm-4-flashx-250414", output_tokens=32 * _K, default_tokens=32 * _K)
_GLM_4_6V = ChatModel(
    id="glm-4.6v",
    family="vision",
    context_tokens=128 * _K,
    output_tokens=32 * _K,
    default_tokens=16 * _K,
    in_flight=_grown(10),
    images=50,
    documents=True,
    tools=_FUNCTIONS,
    thinking="switchable",
)
_GLM_4_1V = ChatModel(
    id="glm-4.1v-thinking-flashx",
    family="vision",
    context_tokens=64 * _K,
    output_tokens=16 * _K,
    default_tokens=16 * _K,
    in_flight=(30, 50, 80, 100),
    images=50,
    thinking="unasked",
)
_GLM_4V = ChatModel(
    id="glm-4v-plus-0111",
    family="vision",
    context_tokens=16 * _K,
    output_tokens=8 * _K,
    default_tokens=1024,
    in_flight=_grown(5),
    images=5,
)

_MODELS = (
    _GLM_5_3,
    _GLM_5_2,
    replace(_GLM_5, id="glm-5.1"),
    replace(_GLM_5, id="glm-5-turbo"),
    _GLM_5,
    replace(_GLM_4_6, id="glm-4.7"),
    replace(_GLM_4_6, id="glm-4.7-flashx"),
    replace(_GLM_4_6, id="glm-4.7-flash", in_flight=_grown(1), free=True),
    _GLM_4_6,
    _GLM_4_5,
    replace(_GLM_4_5, id="glm-4.5-x"),
    replace(_GLM_4_5, id="glm-4.5-air", in_flight=_grown(5)),
    replace(_GLM_4_5, id="glm-4.5-airx", in_flight=_grown(5)),
    replace(_GLM_4_5, id="glm-4.5-flash", in_flight=_grown(2), free=True),
    _GLM_4,
    replace(_GLM_4, id="glm-4-air", in_flight=_grown(100)),
    replace(_GLM_4, id="glm-4-airx", in_flight=_grown(5), context_tokens=8 * _K),
    replace(_GLM_4, id="glm-4-long", in_flight=_grown(10), context_tokens=1024 * _K),
    replace(_GLM_4, id="glm-4-flashx", in_flight=_grown(50)),
    replace(_GLM_4, id="glm-4-flash", in_flight=_grown(200), free=True),
    replace(_GLM_4, id="glm-4-air-250414", in_flight=_grown(30), output_tokens=16 * _K, default_tokens=16 * _K),
    replace(_GLM_4_LARGE, in_flight=_grown(50)),
    replace(_GLM_4_LARGE, id="glm-4-flash-250414", in_flight=_grown(5), free=True),
    _GLM_5_3_FLASH,
    replace(_GLM_5_3_FLASH, id="glm-5.3-flashx"),
    replace(
        _GLM_4_6V,
        id="glm-5v-turbo",
        context_tokens=200 * _K,
        output_tokens=128 * _K,
        default_tokens=64 * _K,
        in_flight=_grown(5),
    ),
    _GLM_4_6V,
    replace(_GLM_4_6V, id="glm-4.6v-flashx", in_flight=_grown(3)),
    replace(_GLM_4_6V, id="glm-4.6v-flash", in_flight=_grown(1), free=True),
    replace(_GLM_4_6V, id="glm-4.5v", context_tokens=64 * _K, output_tokens=16 * _K, tools=frozenset()),
    _GLM_4_1V,
    replace(_GLM_4_1V, id="glm-4.1v-thinking-flash", in_flight=(5, 10, 15, 20), output_tokens=32 * _K, free=True),
    _GLM_4V,
    replace(
        _GLM_4V,
        id="glm-4v-flash",
        in_flight=_grown(10),
        output_tokens=1024,
        free=True,
        images=1,
        base64_images=False,
    ),
    replace(
        _GLM_4V, id="autoglm-phone", context_tokens=20 * _K, output_tokens=4 * _K, images=50, tools=_FUNCTIONS
    ),
    ChatModel(
        id="glm-4-voice",
        family="voice",
        context_tokens=8 * _K,
        output_tokens=4 * _K,
        default_tokens=1024,
        in_flight=(5, 10, 15, 20),
    ),
)

CHAT_MODELS = {model.id: model for model in _MODELS}
"""Every chat model by id."""
