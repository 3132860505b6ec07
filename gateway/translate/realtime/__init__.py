"""
OpenAI's realtime sessions as GLM-Realtime's: a state machine without a socket, a clock or a task.

``Translator`` takes the events of both sides and gives effects; ``fates`` says what becomes of each event.
"""

from gateway.translate.realtime.effects import Close, Effect, ToClient, ToGlm
from gateway.translate.realtime.policy import Policy
from gateway.translate.realtime.sound import Converter, Sound
from gateway.translate.realtime.translator import Translator

__all__ = ["Close", "Converter", "Effect", "Policy", "Sound", "ToClient", "ToGlm", "Translator"]
