"""
OpenAI's realtime sessions as GLM-Realtime's: a state machine without a socket, a clock or a task.

``Translator`` takes the events of both sides and gives effects; ``fates`` says what becomes of each event.
"""

from gateway.translate.realtime.effects import (
    Brought,
    Close,
    Effect,
    Errand,
    Forget,
    Refused,
    ToClient,
    ToGlm,
)
from gateway.translate.realtime.policy import Policy
from gateway.translate.realtime.scribe import Scribe
from gateway.translate.realtime.sound import Converter, Sound
from gateway.translate.realtime.translator import Translator

__all__ = [
    "Brought",
    "Close",
    "Converter",
    "Effect",
    "Errand",
    "Forget",
    "Policy",
    "Refused",
    "Scribe",
    "Sound",
    "ToClient",
    "ToGlm",
    "Translator",
]
