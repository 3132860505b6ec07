"""What a question is about: quoted words, places and other names."""

import re

_QUOTED = re.compile(r"[\"“「']([^\"”」']{1,80})[\"”」']")
_NAME = r"(?>[A-Z][\w'-]+(?:\s[A-Z][\w'-]+)*)"
# "Boston, MA" and "Paris, France" are one place each; "Oslo, Rome and Paris" are three.
_REGION = rf"(?:,\s(?:[A-Z]{{2}}\b|{_NAME}(?!,|\s(?:and|or)\b)))?"
_PLACE = re.compile(
    rf"\b(?:(?:in|for|to|from|at|near|of|on|about|and|or)\s+(?P<first>{_NAME}{_REGION})|,\s+(?P<next>{_NAME}))"
)
_PLACE_ZH = re.compile(r"([\u4e00-\u9fff]{2,3}?)(?=今天|明天|现在|的|天气|和|、)")
_TIMES_ZH = {"今天", "明天", "现在", "天气"}


def subjects(text: str) -> list[str]:
    """Name what a question is about: quoted words, else names, in order and once each."""
    places = [place["first"] or place["next"] for place in _PLACE.finditer(text)]
    names = _QUOTED.findall(text) or places or _PLACE_ZH.findall(text)
    return [name for name in dict.fromkeys(names) if name not in _TIMES_ZH]
