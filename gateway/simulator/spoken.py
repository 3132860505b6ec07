"""Spoken answers that can be named by their ids for a while; no more than the latest are kept."""

from typing import NamedTuple

_MOST = 1000


class _Kept(NamedTuple):
    text: str
    expires_at: float


class Spoken:
    """What was said, by account and id."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}

    def keep(self, audio_id: str, text: str, *, account: str, expires_at: float) -> None:
        """Keep an answer until a moment in Unix seconds."""
        self._kept[account, audio_id] = _Kept(text, expires_at)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def recall(self, audio_id: str, *, account: str, now: float) -> str | None:
        """Return the text of an answer; None when the account has none of that id any more."""
        kept = self._kept.get((account, audio_id))
        return kept.text if kept is not None and now < kept.expires_at else None

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()
