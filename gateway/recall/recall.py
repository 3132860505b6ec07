"""
What an answer leaves behind for the requests that follow it: texts by key, kept for a while.

GLM wants its reasoning back with the tool results, and OpenAI's clients drop it between turns. Responses are kept
for those who go on with them or fetch them later, vectors where the operator wants no text embedded twice.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Recall(Protocol):
    """
    Keeps texts for a while, each tenant's apart. Forgetting early is allowed, failing is not, but for ``require``.

    What was remembered before a call returned is found by the next one, in every process that shares the memory.
    """

    async def remember(self, tenant: str, texts: Mapping[str, str], *, seconds: float | None = None) -> bool:
        """
        Keep ``texts`` by their keys, for ``seconds``; None: for as long as this memory keeps any.

        False: that is not certain, or one of them is too large to be kept.
        """

    async def recall(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is still known of ``keys``."""

    async def require(self, tenant: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Return the same, where what is left out has to be gone; raise StoreUnavailable if nobody can tell."""

    async def forget(self, tenant: str, keys: Sequence[str]) -> bool:
        """Keep ``keys`` no longer; False: that is not certain, and they may be known until their time is over."""
