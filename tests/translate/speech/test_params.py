"""The fate of every parameter."""

from gateway.openai.speech import CreateSpeechRequest
from gateway.translate.speech.params import SPEECH


def test_every_parameter_has_a_fate() -> None:
    assert set(SPEECH) == set(CreateSpeechRequest.__struct_fields__)
