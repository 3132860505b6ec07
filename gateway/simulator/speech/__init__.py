"""
Hearing and speaking as far as this machine can: pocketsphinx and espeak-ng, else a canned text and tones.

Sound is 16-bit mono PCM, little-endian, everywhere inside. All of it takes time and blocks: call it in a thread.
"""

from gateway.simulator.speech.listening import Hearing, Word, hear, listen
from gateway.simulator.speech.sound import Unplayable, decode, mp3, resample, seconds_of, wav
from gateway.simulator.speech.speaking import speak

__all__ = [
    "Hearing",
    "Unplayable",
    "Word",
    "decode",
    "hear",
    "listen",
    "mp3",
    "resample",
    "seconds_of",
    "speak",
    "wav",
]
