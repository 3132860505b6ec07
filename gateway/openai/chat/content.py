"""The parts of a message."""

from msgspec import Struct


class TextPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A piece of text."""

    text: str


class RefusalPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """An assistant's refusal, sent back as history."""

    refusal: str


class ImageUrl(Struct, frozen=True, kw_only=True):
    """A picture's address (http, https or a data URI) and how closely to look."""

    url: str
    detail: str | None = None


class ImagePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A picture."""

    image_url: ImageUrl


class InputAudio(Struct, frozen=True, kw_only=True):
    """Base64 of a recording; what it is, its bytes tell. Only of samples alone, at 24 kHz, ``pcm16`` says it."""

    data: str
    format: str


class InputAudioPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="input_audio"):
    """Speech."""

    input_audio: InputAudio


class FileContent(Struct, frozen=True, kw_only=True):
    """A document: ``file_data`` (a data URI), ``file_id``, or Zhipu's ``file_url``."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class FilePart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file"):
    """A document."""

    file: FileContent


class Link(Struct, frozen=True, kw_only=True):
    """The address of a video or document."""

    url: str


class VideoPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="video_url"):
    """A video by URL; Zhipu's extra."""

    video_url: Link


class FileUrlPart(Struct, frozen=True, kw_only=True, tag_field="type", tag="file_url"):
    """A document by URL; Zhipu's extra."""

    file_url: Link


Part = TextPart | RefusalPart | ImagePart | InputAudioPart | FilePart | VideoPart | FileUrlPart
Content = str | list[Part] | None
