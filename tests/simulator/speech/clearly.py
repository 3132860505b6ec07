"""
Sentences that pocketsphinx understands word by word when the simulator's ``speak`` says them, with espeak-ng 1.51
and 1.52 alike, and what tests need.

Other voices and speeds of espeak-ng are understood badly. Some sentences survive lossy codecs, others only wav.
"""

import shutil
from importlib.util import find_spec

import pytest

NUMBERS = "one two three four five six seven"
REPEAT = "repeat after me"
SOMETHING = "please say something"
NAME = "what is your name"
ROBUST = (NUMBERS, REPEAT, SOMETHING, NAME)
"""Understood out of wav, mp3, ogg, webm, m4a, mp4, aac and mu-law alike."""

GREETING = "good morning how are you today"
WEATHER = "how is the weather today"
TABLE = "i would like a table for two people"
MUSEUM = "let us go to the museum on sunday"

speaks = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
listens = pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed")
