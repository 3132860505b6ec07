"""
The models of calls, with their limits and voices. Data only.

Source: docs.bigmodel.cn, GLM-Realtime: model page and session parameters.
"""

from msgspec import Struct


class RealtimeModel(Struct, frozen=True, kw_only=True):
    """A model that holds calls; ``in_flight`` is how many at once, for V0 to V3."""

    id: str
    in_flight: tuple[int, int, int, int] = (5, 10, 15, 20)


DEFAULT_MODEL = "glm-realtime"

REALTIME_MODELS = {
    model.id: model
    for model in (
        RealtimeModel(id=DEFAULT_MODEL),
        RealtimeModel(id="glm-realtime-flash"),
        RealtimeModel(id="glm-realtime-air"),
    )
}
"""Every model of calls, by id."""

VOICES = frozenset(
    {
        "tongtong",
        "xiaochen",
        "female-tianmei",
        "female-shaonv",
        "male-qn-daxuesheng",
        "male-qn-jingying",
        "lovely_girl",
    }
)
