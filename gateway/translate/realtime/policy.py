"""Where a realtime session has a choice, and how long it waits for GLM."""

from typing import Literal

from msgspec import Struct

TypedText = Literal["item", "instructions", "speech"]


class Policy(Struct, frozen=True, kw_only=True):
    """
    How a session behaves where there is a choice.

    ``typed_text``: typed messages go to GLM as items, within the instructions, or read out to it ("speech"). Items
    that GLM leaves without a reply are tried again as instructions. ``turn_detection``: who hears when the user
    has ended, GLM ("upstream"), the gateway ("local"), or the gateway only where there are tools ("auto"), with
    which GLM's does not work. ``text_model`` answers outside the conversation, ``transcription_model`` writes
    down what GLM leaves unwritten.
    """

    typed_text: TypedText = "item"
    turn_detection: Literal["upstream", "local", "auto"] = "auto"
    text_model: str = "glm-4.7"
    transcription_model: str = "glm-asr"
