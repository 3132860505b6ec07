"""
The pieces that items are made of, in both directions.

Source: OpenAI's API description of autumn 2026 and the types of its Python SDK 3.54.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.openai.chat.content import InputAudio
from gateway.openai.chat.tools import FunctionName

# --- What comes in ----------------------------------------------------------------------------------


class InputText(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_text"):
    """A piece of text from outside the model."""

    text: str


class InputImage(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_image"):
    """A picture: ``image_url`` is http, https or a data URI; ``file_id`` an uploaded file."""

    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class InputFile(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_file"):
    """A document: ``file_data`` (a data URI), ``file_url`` or ``file_id``."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class SpokenInput(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Speech."""

    input_audio: InputAudio


# --- What the model says, which also comes back as history ------------------------------------------


class SourceCitation(Struct, frozen=True, kw_only=True, tag_field="type", tag="url_citation"):
    """A source, and the part of the text that leans on it, in characters."""

    start_index: int
    end_index: int
    title: str
    url: str


class OutputText(Struct, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """Text of the model's."""

    text: str
    annotations: list[SourceCitation] = []
    logprobs: list[Any] = []


class OutputRefusal(Struct, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """The words of a model that refuses."""

    refusal: str


class SaidText(Struct, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """Text of the model's that a client sends back; what else belonged to it is of no use any more."""

    text: str


class SummaryText(Struct, frozen=True, kw_only=True, tag_field="type", tag="summary_text"):
    """A part of a summary of reasoning."""

    text: str


class ReasoningText(Struct, frozen=True, kw_only=True, tag_field="type", tag="reasoning_text"):
    """A part of reasoning."""

    text: str


InputPart = InputText | InputImage | InputFile | SpokenInput | SaidText | OutputRefusal
ResultPart = InputText | InputImage | InputFile
Status = Literal["in_progress", "completed", "incomplete"]

# --- Shapes of text ---------------------------------------------------------------------------------


class PlainFormat(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Plain text."""


class AnyJsonFormat(Struct, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="json_schema"):
    """JSON that keeps to a schema."""

    name: FunctionName
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


Format = PlainFormat | AnyJsonFormat | SchemaFormat


class TextConfig(Struct, frozen=True, kw_only=True):
    """The shape of the text, and how much of it."""

    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class EchoedText(Struct, frozen=True, kw_only=True):
    """How the text was asked for."""

    format: Format
    verbosity: Literal["low", "medium", "high"] | UnsetType = UNSET
