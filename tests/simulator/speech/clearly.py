"""Sentences that pocketsphinx understands word by word when espeak-ng says them, and what tests of them need."""

import shutil
from importlib.util import find_spec

import pytest

GREETING = "good morning how are you today"
WEATHER = "the weather is nice today"
NUMBERS = "one two three four five six seven"
TABLE = "i would like to book a table for two people"
MUSEUM = "let us go to the museum tomorrow morning"

speaks = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
listens = pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="pocketsphinx is not installed")
