"""Names of languages as OpenAI's speech recognition spells them: callers send codes and are told names."""

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "af": "afrikaans", "ar": "arabic", "az": "azerbaijani", "be": "belarusian", "bg": "bulgarian",
        "bs": "bosnian", "ca": "catalan", "cs": "czech", "cy": "welsh", "da": "danish", "de": "german",
        "el": "greek", "en": "english", "es": "spanish", "et": "estonian", "fa": "persian", "fi": "finnish",
        "fr": "french", "gl": "galician", "he": "hebrew", "hi": "hindi", "hr": "croatian", "hu": "hungarian",
        "hy": "armenian", "id": "indonesian", "is": "icelandic", "it": "italian", "ja": "japanese",
        "kk": "kazakh", "kn": "kannada", "ko": "korean", "lt": "lithuanian", "lv": "latvian", "mi": "maori",
        "mk": "macedonian", "mr": "marathi", "ms": "malay", "ne": "nepali", "nl": "dutch", "no": "norwegian",
        "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sk": "slovak", "sl": "slovenian",
        "sr": "serbian", "sv": "swedish", "sw": "swahili", "ta": "tamil", "th": "thai", "tl": "tagalog",
        "tr": "turkish", "uk": "ukrainian", "ur": "urdu", "vi": "vietnamese", "yue": "cantonese", "zh": "chinese",
    }
)  # fmt: skip
"""By the codes of ISO 639 that OpenAI's guide lists."""


def language_name(language: str) -> str:
    """Return the name for a code such as "en" or "zh-CN"; what is no code that is known stays as it is."""
    return NAMES.get(language.replace("_", "-").partition("-")[0].lower(), language)
