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


def glm_voice(name: str, *, voices: Sequence[str], param: str) -> str:
    """Return the voice of the model's ``voices`` that ``name`` means; raise InvalidRequest when it means none."""
    voice = GLM_VOICES.get(name.lower(), name)
    if voice in voices:
        return voice
    known = ", ".join((*voices, *GLM_VOICES))
    raise InvalidRequest(f"There is no such voice. There are {known}.", param=param, code="invalid_value")
