"""Whose names mean which voice."""

import msgspec
import pytest

from gateway.app import BUILT_IN_CATALOG
from gateway.catalog import Catalog, SpeechTraits
from gateway.errors import InvalidRequest
from gateway.openai.speech import CustomVoice
from gateway.translate.speech.voices import VOICES, voice_of

TRAITS = Catalog.parse(BUILT_IN_CATALOG.read_text("utf-8")).resolve("glm-tts").speech or SpeechTraits()
OPENAI = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse"


def test_every_voice_of_openais_means_one_of_glms() -> None:
    assert set(OPENAI.split()) == VOICES.keys()
    assert set(VOICES.values()) <= set(TRAITS.voices)


@pytest.mark.parametrize(
    ("asked", "voice"),
    [
        ("alloy", "tongtong"),
        ("ALLOY", "tongtong"),
        ("Tongtong", "tongtong"),
        ("voice_clone_20240315_143052_001", "voice_clone_20240315_143052_001"),
        (CustomVoice(id="anything"), "anything"),
    ],
)
def test_name_means_a_voice(asked: str | CustomVoice, voice: str) -> None:
    assert voice == voice_of(asked, traits=TRAITS, table=VOICES)


def test_table_may_say_something_else() -> None:
    table = {"Alloy": "luodo", "jam": "kazi"}

    assert "luodo" == voice_of("alloy", traits=TRAITS, table=table)
    assert "kazi" == voice_of("jam", traits=TRAITS, table=table)


@pytest.mark.parametrize("name", ["bob", "nova2", "voice_clone_", "x" * 5000])
def test_unknown_name_is_refused_and_those_there_are_are_named(name: str) -> None:
    with pytest.raises(InvalidRequest, match="tongtong") as refused:
        voice_of(name, traits=TRAITS, table=VOICES)

    assert "voice" == refused.value.param
    assert len(msgspec.json.encode(refused.value.message)) < 500
