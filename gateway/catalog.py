"""
What each public model name means: every GLM model with its limits and abilities, and the aliases.

Decodes and checks catalogue text that it is given. Reads no files; knows no wire format, no tenant, no slot.
"""

import calendar
import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict, force_setattr, replace

from gateway.errors import ModelNotFound

Tier = Literal["V0", "V1", "V2", "V3"]
Operation = Literal["chat", "embeddings", "transcription", "speech", "realtime"]
Modality = Literal["text", "image", "video", "file", "audio", "embedding"]
Tool = Literal["function", "retrieval", "web_search", "mcp"]

ModelId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class CatalogError(ValueError):
    """Raised when a catalogue, a limit or an alias cannot be used; says where, why and what to write."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many requests, or realtime sessions, may be under way at once, by tier; never fewer when higher."""

    V0: Positive
    V1: Positive
    V2: Positive
    V3: Positive

    def __post_init__(self) -> None:
        if not self.V0 <= self.V1 <= self.V2 <= self.V3:
            raise ValueError(
                "A higher tier has a lower limit; write V0, V1, V2 and V3 so that none is below the last"
            )

    def of(self, tier: Tier) -> int:
        """Return the limit of one tier."""
        limit: int = getattr(self, tier)
        return limit


class ChatTraits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a chat model takes; the defaults are what every GLM text model takes.

    ``thinking``: "none", the field is not sent; "switch", both values work; "always", ``disabled`` is refused
    with 1210. ``reasoning_efforts``: values of GLM's field of that name, least first; empty, it is not sent.
    ``inline_markers``: its text may hold ``<think>…</think>`` and box markers, which are no part of the answer.
    ``max_images`` and its kin: 0, the kind is not taken. ``image_base64``: False, pictures only by URL.
    ``default_temperature``, ``default_top_p``: what GLM uses when none is sent; None, not published.
    """

    thinking: Literal["none", "switch", "always"] = "none"
    reasoning_efforts: tuple[str, ...] = ()
    inline_markers: bool = False
    json_object: bool = True
    tools: tuple[Tool, ...] = ("function",)
    tool_stream: bool = False
    stop_words: Count = 1
    max_images: Count = 0
    image_base64: bool = True
    max_image_bytes: Positive = 5 * 1024 * 1024
    max_videos: Count = 0
    max_files: Count = 0
    default_temperature: float | None = None
    default_top_p: float | None = None


class EmbeddingTraits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes of an embedding model: None, not published; ``dimensions`` empty, the field is not sent."""

    max_items: Positive | None = None
    max_item_tokens: Positive | None = None
    max_total_tokens: Positive | None = None
    dimensions: tuple[Positive, ...] = ()
    default_dimensions: Positive | None = None


class TranscriptionTraits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest and largest audio of one request, and the containers that are taken."""

    max_audio_seconds: Positive = 30
    max_audio_bytes: Positive = 25 * 1024 * 1024
    audio_formats: tuple[str, ...] = ("wav", "mp3")


class SpeechTraits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest input, and the system voices; cloned voices have ids that no list holds."""

    max_input_characters: Positive = 1024
    voices: tuple[str, ...] = ("tongtong",)
    default_voice: str = "tongtong"


class RealtimeTraits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The voices of a realtime model."""

    voices: tuple[str, ...] = ("tongtong",)
    default_voice: str = "tongtong"


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One GLM model: ``id`` and ``operations`` are required, all else has a cautious default.

    Absent modalities are those of the first operation; the traits of an operation are there exactly when the
    model has it. Token counts are None where Zhipu publishes none. ``limits_source`` is "documented" by
    Zhipu, "conservative" out of our own caution, or "configured" by the operator. ``source`` is the vendor's
    page and when it was read. ``released`` is YYYY-MM-DD, None when no source gives the day.
    """

    id: ModelId
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1)]
    inputs: tuple[Modality, ...] = ()
    outputs: tuple[Modality, ...] = ()
    context_tokens: Positive | None = None
    max_output_tokens: Positive | None = None
    limits: Limits = Limits(V0=1, V1=1, V2=1, V3=1)
    limits_source: Literal["documented", "conservative", "configured"] = "conservative"
    source: str = "the operator's own row"
    released: Day | None = None
    chat: ChatTraits | None = None
    embeddings: EmbeddingTraits | None = None
    transcription: TranscriptionTraits | None = None
    speech: SpeechTraits | None = None
    realtime: RealtimeTraits | None = None

    def __post_init__(self) -> None:
        for operation, (traits, _, _) in DEFAULTS.items():
            if (operation in self.operations) and getattr(self, operation) is None:
                force_setattr(self, operation, traits)
            if (operation not in self.operations) and getattr(self, operation) is not None:
                raise ValueError(f"`{operation}` describes an operation that `operations` does not list")
        _, inputs, outputs = DEFAULTS[self.operations[0]]
        force_setattr(self, "inputs", self.inputs or inputs)
        force_setattr(self, "outputs", self.outputs or outputs)
        for kind in ("image", "video", "file"):
            if self.chat is not None and (kind in self.inputs) != (getattr(self.chat, f"max_{kind}s") > 0):
                raise ValueError(f"`inputs` and `chat.max_{kind}s` disagree; {kind} needs both or neither")

    @property
    def chat_traits(self) -> ChatTraits:
        """What it takes in a chat; the defaults of one that does not chat."""
        return self.chat or NO_CHAT

    @property
    def created(self) -> int:
        """Unix seconds at which the release day began (UTC); 0 when the day is not known."""
        if self.released is None:
            return 0
        year, month, day = map(int, self.released.split("-"))
        return calendar.timegm((year, month, day, 0, 0, 0))


NO_CHAT = ChatTraits()
DEFAULTS: dict[Operation, tuple[Struct, tuple[Modality, ...], tuple[Modality, ...]]] = {
    "chat": (ChatTraits(), ("text",), ("text",)),
    "embeddings": (EmbeddingTraits(), ("text",), ("embedding",)),
    "transcription": (TranscriptionTraits(), ("audio",), ("text",)),
    "speech": (SpeechTraits(), ("text",), ("audio",)),
    "realtime": (RealtimeTraits(), ("text", "audio"), ("text", "audio")),
}


class Rows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A catalogue as it is written; its models are read one by one, so that a mistake is told with its place."""

    models: list[dict[str, Any]]


class Builtin(Rows, frozen=True, kw_only=True):
    """The built-in catalogue, which has names of OpenAI's for its models, too."""

    aliases: dict[str, str]


class Catalog:
    """Every model that may be asked for, by any of its names, in any case."""

    __slots__ = ("_by_name", "models")

    def __init__(self, models: Iterable[Model], *, by_name: Mapping[str, Model]) -> None:
        self.models = tuple(models)
        self._by_name = by_name

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        overrides: str | None = None,
        limits: Mapping[str, Mapping[Tier, int]] = MappingProxyType({}),
        aliases: Mapping[str, str] | None = None,
    ) -> Self:
        """
        Read the built-in catalogue and what the operator changes in it.

        ``overrides`` is TOML with ``[[models]]`` rows: a new id adds a model, a known one replaces its row.
        ``limits`` change single tiers of known models. ``aliases`` take the place of the built-in table; None
        keeps that. Raises CatalogError, the fault of whoever wrote the part that it names.
        """
        with blaming("built-in catalogue"):
            builtin = msgspec.toml.decode(text, type=Builtin)
        models = models_of(builtin.models, where="built-in catalogue")
        if overrides is not None:
            with blaming("own catalogue"):
                own = msgspec.toml.decode(overrides, type=Rows)
            models |= models_of(own.models, where="own catalogue")
        models |= limited(limits, models=models)
        names = aliased(builtin.aliases if aliases is None else aliases, models=models)
        return cls(models.values(), by_name=models | names)

    def resolve(self, name: str) -> Model:
        """Return the model that a caller's ``model`` means; raise ModelNotFound, the caller's fault."""
        model = self._by_name.get(name)
        if model is None:
            model = self._by_name.get(name.lower())
        if model is None:
            # A name can be as long as a request body; what is quoted and compared has to be short.
            short = name[:64]
            near = nearest(short, self._by_name, cutoff=0.6)
            raise ModelNotFound(f"There is no model {short!r}.{near} GET /v1/models lists those there are.")
        return model


@contextmanager
def blaming(where: str) -> Iterator[None]:
    try:
        yield
    except msgspec.DecodeError as error:
        raise CatalogError(f"{where}: {error}. The built-in catalog.toml shows every key in use.") from error


def models_of(rows: Iterable[dict[str, Any]], *, where: str) -> dict[str, Model]:
    models: dict[str, Model] = {}
    for number, row in enumerate(rows, 1):
        place = f"{where}, [[models]] number {number} ({row.get('id', 'without an id')})"
        with blaming(place):
            model = msgspec.convert(row, Model)
        if model.id.lower() in models:
            raise CatalogError(f"{place}: an earlier row has the same id; keep one of the two.")
        models[model.id.lower()] = model
    return models


def limited(limits: Mapping[str, Mapping[Tier, int]], *, models: Mapping[str, Model]) -> dict[str, Model]:
    changed: dict[str, Model] = {}
    for name, tiers in limits.items():
        where, key = f'[limits."{name}"]', name.lower()
        if key not in models:
            raise CatalogError(f"{where}: there is no model of this id.{nearest(name, models, cutoff=0)}")
        with blaming(where):
            merged = msgspec.convert(asdict(models[key].limits) | dict(tiers), Limits)
        changed[key] = replace(models[key], limits=merged, limits_source="configured")
    return changed


def aliased(aliases: Mapping[str, str], *, models: Mapping[str, Model]) -> dict[str, Model]:
    targets = {alias.lower(): target.lower() for alias, target in aliases.items()}
    for alias, target in aliases.items():
        where = f'[aliases] "{alias}" = "{target}"'
        if alias.lower() in models:
            raise CatalogError(f"{where}: an alias must not hide the model of that id; remove it.")
        if targets[alias.lower()] != target.lower():
            raise CatalogError(f"{where}: another spelling of this alias means another model; keep one.")
        if target.lower() in targets:
            raise CatalogError(f"{where}: an alias cannot stand for an alias; name the model's id.")
        if target.lower() not in models:
            raise CatalogError(f"{where}: there is no model of this id.{nearest(target, models, cutoff=0)}")
    return {alias: models[target] for alias, target in targets.items()}


def nearest(name: str, names: Iterable[str], *, cutoff: float) -> str:
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=cutoff)
    return f" Did you mean {near[0]!r}?" if near else ""
