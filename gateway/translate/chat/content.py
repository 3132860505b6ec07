"""Message content: OpenAI's parts to GLM's, and the rules of each model for pictures, videos and documents."""

import binascii
from collections.abc import Sequence

from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.glm import chat as glm
from gateway.openai.chat import content as openai

IMAGE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG")
SIGNATURE_CHARACTERS = 64
MAX_FILE_BYTES = 50 * 1024 * 1024


def text_of(content: openai.Content, *, param: str) -> str:
    """
    Return content as one string; parts are joined by line breaks.

    Raises InvalidRequest naming the part when one is not text.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(text_part(part, param=f"{param}[{index}]") for index, part in enumerate(content))


def text_part(part: openai.Part, *, param: str) -> str:
    match part:
        case openai.TextPart(text=text):
            return text
        case openai.RefusalPart(refusal=refusal):
            return refusal
        case _:
            raise InvalidRequest("Only text parts can stand here.", param=param)


def user_content(content: openai.Content, *, model: Model, param: str) -> str | list[glm.Part]:
    """
    Return a user's content as GLM takes it for ``model``: a string, or parts where one is not text.

    Recordings are such as GLM takes already; see ``listened``.
    Raises InvalidRequest naming the part that the model cannot take.
    """
    if content is None:
        raise InvalidRequest("A user message needs 'content': text or a list of parts.", param=param)
    if isinstance(content, str):
        return content
    if not content:
        raise InvalidRequest("'content' is an empty list; give it at least one part.", param=param)
    if all(isinstance(part, openai.TextPart | openai.RefusalPart) for part in content):
        return text_of(content, param=param)
    return [convert(part, model=model, param=f"{param}[{i}]") for i, part in enumerate(content)]


def convert(part: openai.Part, *, model: Model, param: str) -> glm.Part:
    match part:
        case openai.TextPart() | openai.RefusalPart():
            return glm.TextPart(text=text_part(part, param=param))
        case openai.ImagePart(image_url=image):
            require(model, "image", param=param)
            return glm.ImagePart(
                image_url=glm.Link(url=picture(image.url, model=model, param=f"{param}.image_url"))
            )
        case openai.VideoPart(video_url=video):
            require(model, "video", param=param)
            return glm.VideoPart(video_url=glm.Link(url=web_address(video.url, param=f"{param}.video_url")))
        case openai.FileUrlPart(file_url=file):
            require(model, "file", param=param)
            return glm.FileUrlPart(file_url=glm.Link(url=web_address(file.url, param=f"{param}.file_url")))
        case openai.FilePart(file=file):
            require(model, "file", param=param)
            return document(file, param=f"{param}.file")
        case openai.InputAudioPart(input_audio=audio):
            require(model, "audio", param=param)
            return glm.InputAudioPart(input_audio=glm.InputAudio(data=audio.data, format=audio.format))


def require(model: Model, kind: str, *, param: str) -> None:
    """Raise InvalidRequest when ``model`` does not take this kind of input."""
    if kind not in model.inputs:
        raise InvalidRequest(
            f"{model.id} takes no {kind} input; it takes {', '.join(model.inputs)}. {REMEDY[kind]}",
            param=param,
            code="unsupported_content",
        )


REMEDY = {
    "image": "Use a vision model such as glm-4.6v.",
    "video": "Use a vision model such as glm-4.6v.",
    "file": "Use a vision model such as glm-4.6v.",
    "audio": "Use glm-4-voice.",
}


def web_address(url: str, *, param: str) -> str:
    if not is_web_address(url):
        raise InvalidRequest("GLM fetches this itself: give an http or https URL.", param=param)
    return url


def is_web_address(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://"))


def picture(url: str, *, model: Model, param: str) -> str:
    """
    Return what GLM takes as a picture: the web address, or the bare base64 of a data URI.

    Bare base64 is the form that every source sends successfully; the data URI's head is not.
    """
    if is_web_address(url):
        return url
    traits = model.chat_traits
    if not traits.image_base64:
        raise InvalidRequest(
            f"{model.id} takes pictures by URL only. Give an http or https URL, or use glm-4.6v.", param=param
        )
    data = bare_base64(url, param=param)
    check_picture(data, max_bytes=traits.max_image_bytes, param=param)
    return data


def bare_base64(source: str, *, param: str) -> str:
    """Return the base64 of a data URI, or ``source`` itself when it is none; in one line."""
    if source[:5].lower() != "data:":
        return without_space(source)
    head, _, data = source.partition(",")
    if not head.lower().endswith(";base64"):
        raise InvalidRequest("A data URI must be base64, such as data:image/png;base64,…", param=param)
    return without_space(data)


def without_space(data: str) -> str:
    """Return base64 without line breaks, which many encoders put in and GLM is not known to take."""
    # To look for each is far quicker than to go through a picture that has none.
    return "".join(data.split()) if any(space in data for space in "\n\r\t ") else data


def check_picture(data: str, *, max_bytes: int, param: str) -> None:
    """Raise InvalidRequest unless ``data`` begins like base64 of a jpeg or png and is not too large."""
    try:
        start = binascii.a2b_base64(data[:SIGNATURE_CHARACTERS].encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        start = b""
    if not start.startswith(IMAGE_SIGNATURES):
        raise InvalidRequest("GLM takes jpeg and png pictures, by URL or as base64; this is neither.", param=param)
    size_bytes = len(data) * 3 // 4
    if size_bytes > max_bytes:
        raise InvalidRequest(
            f"The picture has {size_bytes:,} bytes; GLM takes at most {max_bytes:,}. Scale it down.", param=param
        )


def document(file: openai.FileContent, *, param: str) -> glm.Part:
    """Return a document in the form its source calls for; a URL is ``file_url`` since all models take that."""
    sources = [source for source in (file.file_url, file.file_id, file.file_data) if source is not None]
    if len(sources) != 1:
        raise InvalidRequest("Give exactly one of 'file_data', 'file_id' and 'file_url'.", param=param)
    if file.file_url is not None:
        return glm.FileUrlPart(file_url=glm.Link(url=web_address(file.file_url, param=param)))
    if len(sources[0]) * 3 // 4 > MAX_FILE_BYTES:
        raise InvalidRequest("A document may have at most 50 MB.", param=param)
    named = {"filename": file.filename} if file.filename is not None else {}
    if file.file_id is not None:
        return glm.FilePart(file=glm.FileContent(file_id=file.file_id, **named))
    return glm.FilePart(file=glm.FileContent(file_data=file.file_data or "", **named))


def check_counts(parts: Sequence[glm.Part], *, model: Model) -> None:
    """
    Raise InvalidRequest when the ``parts`` of a conversation are more media than ``model`` takes.

    Source: docs.bigmodel.cn, chat completion reference: counts by model; documents not beside pictures or videos.
    """
    if not parts:
        return
    kinds = [*map(type, parts)]
    traits = model.chat_traits
    images, videos = kinds.count(glm.ImagePart), kinds.count(glm.VideoPart)
    files = kinds.count(glm.FilePart) + kinds.count(glm.FileUrlPart)
    for name, count, limit in (
        ("pictures", images, traits.max_images),
        ("videos", videos, traits.max_videos),
        ("documents", files, traits.max_files),
    ):
        if count > limit:
            raise InvalidRequest(
                f"{model.id} takes at most {limit} {name} in a conversation; this one has {count}.",
                param="messages",
            )
    if files and (images or videos):
        raise InvalidRequest(
            "GLM takes no documents beside pictures or videos; ask in two requests.", param="messages"
        )
