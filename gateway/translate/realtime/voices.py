"""OpenAI's voices as GLM-Realtime's; the ear decides which are near, so this is a table."""

from collections.abc import Mapping, Sequence

from gateway.errors import InvalidRequest

GLM_VOICES: Mapping[str, str] = {
    "alloy": "tongtong",
    "ash": "male-qn-jingying",
    "ballad": "xiaochen",
    "cedar": "xiaochen",
    "coral": "female-tianmei",
    "echo": "male-qn-daxuesheng",
    "fable": "lovely_girl",
    "marin": "tongtong",
    "nova": "female-shaonv",
    "onyx": "male-qn-jingying",
    "sage": "female-shaonv",
    "shimmer": "female-tianmei",
    "verse": "xiaochen",
}

READING_VOICES: Mapping[str, str] = {
    "xiaochen": "xiaochen",
    "female-tianmei": "chuichui",
    "female-shaonv": "kazi",
    "male-qn-daxuesheng": "jam",
    "male-qn-jingying": "jam",
    "lovely_girl": "douji",
}
"""Which of the voices that read out is near to one of GLM-Realtime's; tongtong to all others."""


def speech_voice(name: str, *, glm_voice: str) -> str:
    """Return the voice that reads out for a session: OpenAI's own name, or what is near to GLM-Realtime's."""
    return name if name.lower() in GLM_VOICES else READING_VOICES.get(glm_voice, "tongtong")


def glm_voice(name: str, *, voices: Sequence[str], param: str) -> str:
    """Return the voice of the model's ``voices`` that ``name`` means; raise InvalidRequest when it means none."""
    voice = GLM_VOICES.get(name.lower(), name)
    if voice in voices:
        return voice
    known = ", ".join((*voices, *GLM_VOICES))
    raise InvalidRequest(f"There is no such voice. There are {known}.", param=param, code="invalid_value")
