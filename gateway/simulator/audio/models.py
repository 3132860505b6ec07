"""
The models that hear or speak, with their sizes and limits. Data only.

Sources: docs.bigmodel.cn, speech-to-text and text-to-speech references (OpenAPI of 2026-07), the page of GLM-ASR.
Where the platform publishes no limit the console's number for V0 stands, and grows with the tier.
"""

from msgspec import Struct


class HearingModel(Struct, frozen=True, kw_only=True):
    """
    A model that turns recordings into text.

    ``in_flight`` is for V0 to V3. ``counts`` models answer with segments and usage, the others with ``model``.
    """

    id: str
    in_flight: tuple[int, int, int, int]
    longest_seconds: float = 30.0
    largest_bytes: int = 25 * 1024 * 1024
    counts: bool = False
    free: bool = False


class SpeakingModel(Struct, frozen=True, kw_only=True):
    """A model that reads texts out; ``in_flight`` is for V0 to V3, ``voices`` are those that are not cloned."""

    id: str
    in_flight: tuple[int, int, int, int]
    voices: frozenset[str]
    input_characters: int = 1024
    free: bool = False


DEFAULT_HEARING_MODEL = "glm-asr-2512"

HEARING_MODELS = {
    model.id: model
    for model in (
        HearingModel(id=DEFAULT_HEARING_MODEL, in_flight=(5, 10, 20, 40)),
        HearingModel(id="glm-asr", in_flight=(5, 10, 15, 20), counts=True),
    )
}
"""Every model that hears, by id."""

SPEAKING_MODELS = {
    model.id: model
    for model in (
        SpeakingModel(
            id="glm-tts",
            in_flight=(5, 10, 20, 40),
            voices=frozenset({"tongtong", "chuichui", "xiaochen", "jam", "kazi", "douji", "luodo"}),
        ),
    )
}
"""Every model that speaks, by id."""
