"""Names of voices: OpenAI's mean one of GLM's by a table, GLM's own and those of cloned voices stay."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from gateway.catalog import SpeechTraits
from gateway.errors import InvalidRequest
from gateway.openai.speech import CustomVoice

VOICES: Mapping[str, str] = MappingProxyType(
    {
        "alloy": "tongtong",
        "ash": "jam",
        "ballad": "luodo",
        "cedar": "xiaochen",
        "coral": "chuichui",
        "echo": "xiaochen",
        "fable": "douji",
        "marin": "tongtong",
        "nova": "tongtong",
        "onyx": "xiaochen",
        "sage": "kazi",
        "shimmer": "chuichui",
        "verse": "jam",
    }
)
"""What OpenAI's names mean where the settings say nothing."""

CLONED = re.compile(r"voice_clone_\w+", re.ASCII)
MAX_SHOWN_CHARACTERS = 64


def voice_of(asked: str | CustomVoice, *, traits: SpeechTraits, table: Mapping[str, str]) -> str:
    """
    Return GLM's name for a voice, whose case does not matter; an id of one's own passes.

    Raises InvalidRequest for a name that nobody has.
    """
    if isinstance(asked, CustomVoice):
        return asked.id
    if CLONED.fullmatch(asked):
        return asked
    known = {voice.lower(): voice for voice in traits.voices} | {name.lower(): table[name] for name in table}
    voice = known.get(asked.lower())
    if voice is None:
        raise InvalidRequest(
            f"There is no voice {asked[:MAX_SHOWN_CHARACTERS]!r}. Choose one of {', '.join(known)}; "
            'or the id of a cloned voice, such as "voice_clone_…" or {"id": "…"}.',
            param="voice",
            code="invalid_value",
        )
    return voice
