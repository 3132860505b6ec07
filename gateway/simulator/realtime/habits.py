"""Where accounts of GLM-Realtime differ: what its page says, and what its users report. Data only."""

from typing import Literal

from msgspec import Struct


class Habits(Struct, frozen=True, kw_only=True):
    """
    How calls behave.

    ``typed`` messages are used as documented, or ignored without a word, as reported. With ``tools_hang`` the end
    of speech is never noticed in a call that has both functions and server VAD, as reported. ``transcripts`` of
    the voice come in pieces and whole, in pieces only, or not at all; they are a model of their own.

    Voice is sent ``pace`` times as fast as it is played; 0 is at once. ``heartbeat_seconds`` is how often a call
    says that it is alive.
    """

    typed: Literal["used", "ignored"] = "used"
    tools_hang: bool = False
    transcripts: Literal["whole", "pieces", "none"] = "whole"
    pace: float = 4.0
    heartbeat_seconds: float = 30.0
