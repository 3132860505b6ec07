"""Long texts in pieces that can be read out on their own: whole sentences where there are any."""

import re
from collections.abc import Iterator

CLOSERS = r"[\"'”’»)\]」』）》〉】]*"
ABBREVIATED = r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bvs)(?<!\bMrs)(?<!\be\.g)(?<!\bi\.e)(?<!\b[A-Z])"
BREAKS = (
    re.compile(rf"\n\s*\n|[。！？…]+{CLOSERS}|(?:[!?]+|{ABBREVIATED}\.+){CLOSERS}(?=\s)"),
    re.compile(rf"\n|[；;:：]{CLOSERS}(?=\s|[\u4e00-\u9fff])"),
    re.compile(rf"[，、]{CLOSERS}|,{CLOSERS}(?=\s)|\s[—–-](?=\s)"),
    re.compile(r"\s"),
)
"""Where a text may be cut, the best places first: after sentences, parts of them, commas, words."""


def pieces(text: str, *, most_characters: int) -> list[str]:
    """
    Return a text in pieces of at most so many characters; nothing of it is lost but spaces around pieces.

    Each piece ends where a sentence does, if one does; else at the next best place, or in the middle of a word
    where there is none. A text without anything but spaces has no pieces.
    """
    return list(cut(text.strip(), most_characters))


def cut(rest: str, most_characters: int) -> Iterator[str]:
    while len(rest) > most_characters:
        end = end_of_piece(rest, most_characters)
        yield rest[:end].rstrip()
        rest = rest[end:].lstrip()
    if rest:
        yield rest


def end_of_piece(text: str, most_characters: int) -> int:
    """Return where the first piece ends."""
    for places in BREAKS:
        end = 0
        for place in places.finditer(text, 0, most_characters * 2):
            if place.end() > most_characters:
                break
            end = place.end()
        if end:
            return end
    return most_characters
