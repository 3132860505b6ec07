"""What the model catalogue promises: true rows, names that resolve, clear words for what is wrong in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openai.types import EmbeddingModel
from openai.types.audio.speech_model import SpeechModel
from openai.types.audio_model import AudioModel
from openai.types.realtime import AudioTranscription
from openai.types.shared.chat_model import ChatModel

import gateway
from gateway.catalog import Catalog, CatalogError, ChatTraits, Model, Operation, Tier
from gateway.errors import ModelNotFound

TEXT = (Path(gateway.__file__).parent / "catalog.toml").read_text(encoding="utf-8")
CATALOG = Catalog.parse(TEXT)
TIERS: tuple[Tier, ...] = get_args(Tier)

FIVE_TO_TWENTY = (5, 10, 15, 20)
DOCUMENTED_LIMITS = {
    "glm-4-voice": FIVE_TO_TWENTY,
    "glm-asr": FIVE_TO_TWENTY,
    "glm-realtime": FIVE_TO_TWENTY,
    "glm-realtime-flash": FIVE_TO_TWENTY,
    "glm-realtime-air": FIVE_TO_TWENTY,
    "glm-4.1v-thinking-flash": FIVE_TO_TWENTY,
    "glm-4.1v-thinking-flashx": (30, 50, 80, 100),
    "embedding-3": (50, 100, 300, 500),
}


def by_id(model: Model) -> str:
    return model.id


def names_in(kind: Any) -> tuple[str, ...]:
    """Return the names that a type lists, however deep among others."""
    return tuple(name for part in get_args(kind) for name in ([part] if isinstance(part, str) else names_in(part)))


# --- The rows ---------------------------------------------------------------------------------------


def test_limits_are_the_published_ones_when_zhipu_documents_them() -> None:
    """The rows that call themselves documented are exactly those of Zhipu's tables, number for number."""
    documented = {
        model.id: tuple(model.limits.of(tier) for tier in TIERS)
        for model in CATALOG.models
        if model.limits_source == "documented"
    }

    assert documented == DOCUMENTED_LIMITS


@pytest.mark.parametrize("model", [m for m in CATALOG.models if m.id not in DOCUMENTED_LIMITS], ids=by_id)
def test_row_promises_no_more_than_it_knows_when_limits_are_not_documented(model: Model) -> None:
    """A conservative row gives a higher tier nothing that no source gives it."""
    assert [model.limits.of(tier) for tier in TIERS] == [model.limits.V0] * 4


@pytest.mark.parametrize("model", CATALOG.models, ids=by_id)
def test_row_names_its_source_when_it_is_built_in(model: Model) -> None:
    """Every built-in fact can be looked up: a public address, and the month in which it was read."""
    assert model.source.startswith("https://")
    assert model.source.endswith("; read 2026-11")


@pytest.mark.parametrize("model", CATALOG.models, ids=by_id)
def test_row_has_the_traits_of_its_operations_and_no_others(model: Model) -> None:
    """Whoever serves an operation finds its traits without asking whether they are there."""
    present = {operation for operation in get_args(Operation) if getattr(model, operation) is not None}

    assert present == set(model.operations)


@pytest.mark.parametrize("model", CATALOG.models, ids=by_id)
def test_row_sizes_fit_each_other(model: Model) -> None:
    """An answer fits into its context, and what is used when a caller says nothing is one of what it may say."""
    context = model.context_tokens or 0
    largest = model.max_output_tokens or 0

    assert largest <= context
    assert model.speech is None or model.speech.default_voice in model.speech.voices
    assert model.realtime is None or model.realtime.default_voice in model.realtime.voices
    assert model.embeddings is None or model.embeddings.default_dimensions in model.embeddings.dimensions


def test_every_model_zhipu_lists_is_there() -> None:
    """The ids of Zhipu's OpenAPI of July 2026 and of its model pages have a row each, in one stable order."""
    assert [model.id for model in CATALOG.models] == [
        *("glm-5.3", "glm-5.2", "glm-5.1", "glm-5", "glm-5-turbo", "glm-4.7", "glm-4.7-flash"),
        *("glm-4.7-flashx", "glm-4.6", "glm-4.5", "glm-4.5-x", "glm-4.5-air", "glm-4.5-airx"),
        *("glm-4.5-flash", "glm-4-flash-250414", "glm-4-flashx-250414"),
        *("glm-5.3-flash", "glm-5.3-flashx", "glm-5v-turbo", "glm-4.6v", "glm-4.6v-flash"),
        *("glm-4.6v-flashx", "glm-4.5v", "glm-4.1v-thinking-flash", "glm-4.1v-thinking-flashx"),
        *("glm-4v-flash", "autoglm-phone", "glm-4-voice", "glm-asr", "glm-asr-2512", "glm-tts"),
        *("glm-realtime", "glm-realtime-flash", "glm-realtime-air", "embedding-3", "embedding-2"),
    ]


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("glm-5.3", "chat.thinking", "always"),
        ("glm-5.3", "chat.reasoning_efforts", ("low", "high", "max")),
        ("glm-5.2", "chat.thinking", "switch"),
        ("glm-4.7", "max_output_tokens", 131_072),
        ("glm-4.7", "chat.tool_stream", True),
        ("glm-4.7", "chat.reasoning_efforts", ()),
        ("glm-4.5", "chat.tool_stream", False),
        ("glm-4.6v", "chat.tools", ("function",)),
        ("glm-4.6v", "chat.json_object", False),
        ("glm-4.6v", "chat.inline_markers", False),
        ("glm-4.5v", "chat.tools", ()),
        ("glm-4.5v", "chat.inline_markers", True),
        ("glm-4.1v-thinking-flash", "chat.inline_markers", True),
        ("glm-4v-flash", "chat.max_images", 1),
        ("glm-4v-flash", "chat.image_base64", False),
        ("glm-4v-flash", "max_output_tokens", 1024),
        ("glm-4-flash-250414", "chat.thinking", "none"),
        ("glm-4-voice", "chat.tools", ()),
        ("glm-4-voice", "outputs", ("text", "audio")),
        ("glm-asr", "transcription.max_audio_seconds", 30),
        ("glm-tts", "speech.max_input_characters", 1024),
        ("embedding-3", "embeddings.max_items", 64),
        ("embedding-3", "outputs", ("embedding",)),
        ("embedding-2", "embeddings.dimensions", (1024,)),
    ],
    ids=str,
)
def test_row_holds_what_zhipu_says_when_a_translator_asks(name: str, path: str, expected: object) -> None:
    """The facts on which requests are accepted, clamped or refused."""
    value: object = CATALOG.resolve(name)
    for part in path.split("."):
        value = getattr(value, part)

    assert value == expected


@pytest.mark.parametrize(
    ("name", "created"), [("glm-4.7", 1_766_361_600), ("glm-5", 1_770_854_400), ("glm-asr", 0)], ids=str
)
def test_created_is_midnight_of_the_release_day_or_zero_when_it_is_unknown(name: str, created: int) -> None:
    assert CATALOG.resolve(name).created == created


def test_traits_in_a_chat_are_the_rows_own_or_the_cautious_ones_of_who_does_not_chat() -> None:
    """So nobody who asks for them has to know whether the model chats."""
    chats, hears = CATALOG.resolve("glm-4.6v"), CATALOG.resolve("glm-asr")

    assert chats.chat == chats.chat_traits != ChatTraits()
    assert ChatTraits() == hears.chat_traits


# --- Names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title], ids=lambda spell: spell.__name__)
def test_resolve_finds_the_model_when_its_id_is_spelled_in_any_case(spell: Callable[[str], str]) -> None:
    assert [CATALOG.resolve(spell(model.id)) for model in CATALOG.models] == list(CATALOG.models)


@pytest.mark.parametrize(
    ("alias", "model_id"),
    [
        ("whisper-1", "glm-asr"),
        ("gpt-4o-transcribe", "glm-asr"),
        ("gpt-4o-mini-transcribe", "glm-asr"),
        ("gpt-audio", "glm-4-voice"),
        ("gpt-4o-audio-preview", "glm-4-voice"),
        ("text-embedding-3-large", "embedding-3"),
        ("text-embedding-3-small", "embedding-3"),
        ("text-embedding-ada-002", "embedding-3"),
        ("gpt-realtime", "glm-realtime"),
        ("gpt-realtime-mini", "glm-realtime"),
        ("gpt-4o-realtime-preview", "glm-realtime"),
        ("tts-1", "glm-tts"),
        ("tts-1-hd", "glm-tts"),
        ("gpt-4o-mini-tts", "glm-tts"),
        ("gpt-4o", "glm-4.7"),
        ("GPT-4o-Mini", "glm-4.7"),
        ("gpt-5.4", "glm-4.7"),
        ("o3", "glm-4.7"),
        ("chatgpt-4o-latest", "glm-4.7"),
        ("gpt-3.5-turbo-instruct", "glm-4.7"),
        ("gpt-4-vision-preview", "glm-4.6v"),
    ],
    ids=str,
)
def test_resolve_follows_the_alias_when_a_program_has_an_openai_name_built_in(alias: str, model_id: str) -> None:
    assert CATALOG.resolve(alias).id == model_id


@pytest.mark.parametrize(
    ("names", "operation"),
    [
        (get_args(ChatModel), "chat"),
        (get_args(AudioModel), "transcription"),
        (names_in(AudioTranscription.model_fields["model"].annotation), "transcription"),
        (get_args(SpeechModel), "speech"),
        (get_args(EmbeddingModel), "embeddings"),
    ],
    ids=["chat", "transcription", "transcription in calls", "speech", "embeddings"],
)
def test_every_name_of_the_openai_sdk_means_a_model_of_its_kind(
    names: tuple[str, ...], operation: Operation
) -> None:
    """All but the names whose promise GLM cannot keep: built-in search, and telling speakers apart."""
    names = tuple(name for name in names if "search" not in name and "diarize" not in name)

    assert [name for name in names if operation not in CATALOG.resolve(name).operations] == []


@pytest.mark.parametrize(
    ("asked", "suggested"),
    [("glm-4.77", "glm-4.7"), ("Embeding-3", "embedding-3"), ("wisper-1", "whisper-1")],
    ids=str,
)
def test_resolve_suggests_the_nearest_name_when_there_is_no_such_model(asked: str, suggested: str) -> None:
    with pytest.raises(ModelNotFound) as raised:
        CATALOG.resolve(asked)

    assert raised.value.message == (
        f"There is no model '{asked}'. Did you mean '{suggested}'? GET /v1/models lists those there are."
    )
    assert (raised.value.param, raised.value.code, raised.value.status) == ("model", "model_not_found", 404)


def test_resolve_suggests_nothing_when_nothing_is_near() -> None:
    with pytest.raises(ModelNotFound, match=r"^There is no model 'llama'\. GET /v1/models"):
        CATALOG.resolve("llama")


@settings(deadline=None)
@given(st.text(max_size=300))
@example("")
@example("gpt-4o")
@example("GLM-4.7")
@example("\ud800\n" * 500)
@example("glm-4.7" * 100_000)
def test_resolve_answers_or_refuses_and_remembers_nothing_whatever_is_asked(name: str) -> None:
    """A caller's names never grow the process, and a refusal is short and can be written as UTF-8."""
    before = dict(CATALOG._by_name)

    try:
        assert CATALOG.resolve(name) in CATALOG.models
    except ModelNotFound as error:
        assert len(error.message.encode()) < 1000  # noqa: PT017 - either outcome is right
    assert before == CATALOG._by_name


# --- What an operator changes -----------------------------------------------------------------------


def test_a_row_of_id_and_operation_is_enough_when_zhipu_adds_a_model() -> None:
    """Everything else is cautious: no field that only some models take, one slot at every tier."""
    catalog = Catalog.parse(TEXT, overrides='[[models]]\nid = "glm-6"\noperations = ["chat"]')

    model = catalog.resolve("GLM-6")
    assert model is catalog.models[-1]
    assert model.chat is not None
    assert (model.chat.thinking, model.chat.tools, model.chat.max_images) == ("none", ("function",), 0)
    assert (model.inputs, model.outputs, model.max_output_tokens) == (("text",), ("text",), None)
    assert ([model.limits.of(tier) for tier in TIERS], model.limits_source) == ([1] * 4, "conservative")


@pytest.mark.parametrize(
    ("operation", "inputs", "outputs"),
    [
        ("chat", ("text",), ("text",)),
        ("embeddings", ("text",), ("embedding",)),
        ("transcription", ("audio",), ("text",)),
        ("speech", ("text",), ("audio",)),
        ("realtime", ("text", "audio"), ("text", "audio")),
    ],
    ids=get_args(Operation),
)
def test_modalities_follow_the_operation_when_a_row_has_none(
    operation: Operation, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> None:
    row = f'[[models]]\nid = "new"\noperations = ["{operation}"]'

    model = Catalog.parse(TEXT, overrides=row).resolve("new")

    assert (inputs, outputs) == (model.inputs, model.outputs)


def test_a_row_replaces_the_built_in_one_in_its_place_when_the_id_is_known() -> None:
    """The whole row is the operator's, aliases follow it, and the order of the list stays."""
    row = '[[models]]\nid = "GLM-4.7"\noperations = ["chat"]\nmax_output_tokens = 1000'

    catalog = Catalog.parse(TEXT, overrides=row)

    assert catalog.resolve("gpt-4o").max_output_tokens == 1000
    assert catalog.resolve("glm-4.7").context_tokens is None
    assert [m.id.lower() for m in catalog.models] == [m.id for m in CATALOG.models]


def test_limits_change_only_the_tiers_that_are_given() -> None:
    """The others stay, the row says that an operator set them, and the list and the aliases agree."""
    catalog = Catalog.parse(TEXT, limits={"GLM-4.7": {"V2": 9, "V3": 20}})

    model = catalog.resolve("gpt-4o")
    assert [model.limits.of(tier) for tier in TIERS] == [3, 3, 9, 20]
    assert model.limits_source == "configured"
    assert model in catalog.models
    assert len(catalog.models) == len(CATALOG.models)


def test_limits_reach_the_operators_own_models() -> None:
    row = '[[models]]\nid = "glm-6"\noperations = ["chat"]'

    catalog = Catalog.parse(TEXT, overrides=row, limits={"glm-6": {"V3": 4}})

    assert catalog.resolve("glm-6").limits.V3 == 4


def test_aliases_take_the_place_of_the_built_in_ones_when_given() -> None:
    catalog = Catalog.parse(TEXT, aliases={"House-Model": "GLM-4.6"})

    assert catalog.resolve("house-model").id == "glm-4.6"
    with pytest.raises(ModelNotFound):
        catalog.resolve("gpt-4o")


# --- What is wrong in it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("id = \n", ["own catalogue", "line 1"]),
        ("[aliases]\na = 'glm-4.7'", ["own catalogue", "`aliases`"]),
        ("[[models]]\noperations = ['chat']", ["own catalogue, [[models]] number 1", "`id`"]),
        ("[[models]]\nid = 'x'", ["[[models]] number 1 (x)", "`operations`"]),
        ("[[models]]\nid = 'x'\noperations = []", ["(x)", "$.operations"]),
        ("[[models]]\nid = 'x'\noperations = ['paint']", ["(x)", "paint", "$.operations"]),
        ("[[models]]\nid = 'x y'\noperations = ['chat']", ["(x y)", "$.id"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nmax_token = 5", ["(x)", "`max_token`"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nchat = {think = 1}", ["(x)", "`think`", "$.chat"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nspeech = {}", ["(x)", "`speech`", "`operations`"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\ninputs = ['image']", ["(x)", "`chat.max_images`"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nchat = {max_files = 1}", ["(x)", "`chat.max_files`"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nlimits = {V0 = 1}", ["(x)", "`V1`", "$.limits"]),
        ("[[models]]\nid = 'x'\noperations = ['chat']\nreleased = '2026-13-01'", ["(x)", "$.released"]),
        (
            "[[models]]\nid = 'x'\noperations = ['chat']\n[[models]]\nid = 'X'\noperations = ['chat']",
            ["[[models]] number 2 (X)", "same id"],
        ),
    ],
    ids=[
        *("not-toml", "a-table-of-elsewhere", "no-id", "no-operations", "empty-operations"),
        *("unknown-operation", "id-with-space", "unknown-key", "unknown-trait", "foreign-traits"),
        *("pictures-without-count", "count-without-files", "half-limits", "no-such-month", "same-id-twice"),
    ],
)
def test_own_row_is_refused_by_place_and_key_when_it_cannot_be_used(row: str, words: list[str]) -> None:
    with pytest.raises(CatalogError) as raised:
        Catalog.parse(TEXT, overrides=row)

    assert [word for word in words if word not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"glm-4.77": {"V0": 3}}, ['[limits."glm-4.77"]', "Did you mean 'glm-4.7'?"]),
        ({"whisper-1": {"V0": 3}}, ['[limits."whisper-1"]', "no model of this id"]),
        ({"glm-4.7": {"V0": 4}}, ['[limits."glm-4.7"]', "A higher tier has a lower limit"]),
        ({"glm-4.7": {"V0": 0}}, ['[limits."glm-4.7"]', "$.V0"]),
        ({"glm-4.7": {"V9": 3}}, ['[limits."glm-4.7"]', "`V9`"]),
        ({"glm-4.7": {"V3": True}}, ['[limits."glm-4.7"]', "$.V3"]),
    ],
    ids=["unknown-model", "alias", "falling", "zero", "unknown-tier", "not-a-number"],
)
def test_limit_is_refused_by_place_and_key_when_it_cannot_be_kept(
    limits: dict[str, dict[Tier, int]], words: list[str]
) -> None:
    with pytest.raises(CatalogError) as raised:
        Catalog.parse(TEXT, limits=limits)

    assert [word for word in words if word not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ({"mine": "glm-4.77"}, ['[aliases] "mine" = "glm-4.77"', "Did you mean 'glm-4.7'?"]),
        ({"mine": "?"}, ['[aliases] "mine" = "?"', "Did you mean"]),
        ({"GLM-4.7": "glm-4.6"}, ['[aliases] "GLM-4.7"', "must not hide"]),
        ({"a": "b", "b": "glm-4.6"}, ['[aliases] "a" = "b"', "cannot stand for an alias"]),
        ({"A": "glm-4.7", "a": "glm-4.6"}, ['[aliases] "A" = "glm-4.7"', "another spelling"]),
    ],
    ids=["near-a-model", "near-nothing", "hides-a-model", "chain", "two-spellings"],
)
def test_alias_is_refused_by_name_when_it_leads_nowhere(aliases: dict[str, str], words: list[str]) -> None:
    with pytest.raises(CatalogError) as raised:
        Catalog.parse(TEXT, aliases=aliases)

    assert [word for word in words if word not in str(raised.value)] == []


def test_own_row_is_refused_when_a_built_in_alias_would_hide_it() -> None:
    """The two tables are checked against each other, whoever wrote them."""
    row = '[[models]]\nid = "whisper-1"\noperations = ["transcription"]'

    with pytest.raises(CatalogError, match=r'\[aliases\] "whisper-1" = "glm-asr"'):
        Catalog.parse(TEXT, overrides=row)


def test_models_are_values_that_nobody_can_change() -> None:
    with pytest.raises(AttributeError):
        CATALOG.resolve("glm-4.7").id = "other"  # type: ignore[misc]
    assert msgspec.structs.replace(CATALOG.models[0]) == CATALOG.models[0]
