"""Where a realtime session has a choice, and how long it waits for GLM."""

from typing import Literal

from msgspec import Struct

TypedText = Literal["item", "instructions"]


class Policy(Struct, frozen=True, kw_only=True):
    """
    How a session behaves where there is a choice.

    ``typed_text``: typed messages go to GLM as items, or within the instructions. Items that GLM leaves without a
    reply are tried again as instructions. ``turn_detection``: who hears when the user has ended, GLM ("upstream"),
    the gateway ("local"), or the gateway only where there are tools ("auto"), with which GLM's does not work.
    """

    typed_text: TypedText = "item"
    turn_detection: Literal["upstream", "local", "auto"] = "auto"
