"""
``glm-gateway demo``: real traffic through a running gateway, with OpenAI's own client.

Each row of ``STEPS`` is one capability: what it is called, the model, and a function that shows it.
"""

import base64
import importlib.util
import json
import struct
import sys
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from gateway.cli.configuration import DEMO_KEY
from gateway.cli.demo_call import call

if TYPE_CHECKING:  # openai is not among the gateway's own dependencies
    from openai import OpenAI
    from openai.types import Embedding

CHAT_MODEL = "glm-4.7"
VISION_MODEL = "glm-4.6v"
VOICE_MODEL = "glm-4-voice"
HEARING_MODEL = "glm-asr"
SPEECH_MODEL = "glm-tts"
EMBEDDING_MODEL = "embedding-3"
REALTIME_MODEL = "glm-realtime"
SENTENCE = "One two three four five six seven."
SPEECH_BYTES_PER_SECOND = 48_000
SHOWN_CHARACTERS = 160
PICTURE_PIXELS = 64
TIMEOUT_SECONDS = 120.0

WEATHER_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city now.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PERSON_FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    },
}


class Step(Struct, frozen=True):
    """One capability; ``show`` asks for it and gives what to print, or raises what went wrong."""

    title: str
    model: str
    show: "Callable[[OpenAI, str], str]"


@click.command()
@click.option("--url", default="http://127.0.0.1:8080/v1", show_default=True, help="Base URL of the gateway.")
@click.option("--key", default=DEMO_KEY, show_default="the simulator's demo key", help="A key of a tenant.")
def demo(url: str, key: str) -> None:
    """Send real traffic through a running gateway with the official OpenAI SDK, and show each result."""
    if importlib.util.find_spec("openai") is None:
        raise click.ClickException(f"The demo speaks through OpenAI's own client: {_how_to_install('openai>=2')}")
    from openai import OpenAI  # noqa: PLC0415

    with OpenAI(base_url=url, api_key=key, timeout=TIMEOUT_SECONDS) as client:
        shown = [_show(step, client) for step in STEPS]
    sys.exit(0 if all(shown) else 1)


def _how_to_install(package: str) -> str:
    """Return what to type; environments that uv made have no pip."""
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {sys.executable} '{package}'"
    return f"{sys.executable} -m pip install '{package}'"


def _show(step: Step, client: "OpenAI") -> bool:
    from openai import OpenAIError  # noqa: PLC0415

    console = Console(highlight=False)
    began = time.monotonic()
    try:
        result = step.show(client, step.model)
    except (OpenAIError, ValueError) as error:
        console.print(f"[red]✗[/] [bold]{step.title}[/] {step.model}\n  {escape(str(error))}")
        return False
    seconds = time.monotonic() - began
    console.print(f"[green]✓[/] [bold]{step.title}[/] {step.model} [dim]{seconds:.2f} s[/]\n  {escape(result)}")
    return True


def _models(client: "OpenAI", model: str) -> str:
    del model
    ids = [one.id for one in client.models.list()]
    return f"{len(ids)} models: {_shortened(', '.join(ids))}"


def _chat(client: "OpenAI", model: str) -> str:
    messages: Any = [{"role": "user", "content": "Say hello in one short sentence."}]
    answer = client.chat.completions.create(model=model, messages=messages)
    return _shortened(answer.choices[0].message.content)


def _stream(client: "OpenAI", model: str) -> str:
    messages: Any = [{"role": "user", "content": "Count from one to five."}]
    with client.chat.completions.create(model=model, messages=messages, stream=True) as chunks:
        words = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    return f"{_shortened(''.join(words))} (in {len(words)} chunks)"


def _tools(client: "OpenAI", model: str) -> str:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Beijing? Use the tool."}]
    asked = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER_TOOL])
    calls = asked.choices[0].message.tool_calls or []
    called = [f"{call.function.name}({call.function.arguments})" for call in calls if call.type == "function"]
    messages.append(asked.choices[0].message)
    messages += [{"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear"}'} for call in calls]
    answer = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER_TOOL])
    return f"{', '.join(called) or 'no call'} → {_shortened(answer.choices[0].message.content)}"


def _structured(client: "OpenAI", model: str) -> str:
    messages: Any = [{"role": "user", "content": "Ann is 31 years old. Who is it, as JSON?"}]
    answer = client.chat.completions.create(model=model, messages=messages, response_format=PERSON_FORMAT)
    return json.dumps(json.loads(answer.choices[0].message.content or ""))


def _vision(client: "OpenAI", model: str) -> str:
    picture = base64.b64encode(_red_picture()).decode()
    content = [
        {"type": "text", "text": "Which colour is this picture? One word."},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    messages: Any = [{"role": "user", "content": content}]
    answer = client.chat.completions.create(model=model, messages=messages)
    return _shortened(answer.choices[0].message.content)


def _red_picture() -> bytes:
    """Return a PNG, made here so that the demo needs no file."""
    header = struct.pack(">IIBBBBB", PICTURE_PIXELS, PICTURE_PIXELS, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((220, 30, 30)) * PICTURE_PIXELS) * PICTURE_PIXELS
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _speech(client: "OpenAI", model: str) -> str:
    return f"“{SENTENCE}” read out in {_seconds(_read_out(client, model)):.1f} s of sound"


def _read_out(client: "OpenAI", model: str) -> bytes:
    """Return a sentence as samples at 24 kHz, so that the demo needs no recording."""
    return client.audio.speech.create(model=model, voice="alloy", input=SENTENCE, response_format="pcm").content


def _seconds(samples: bytes) -> float:
    return len(samples) / SPEECH_BYTES_PER_SECOND


def _transcription(client: "OpenAI", model: str) -> str:
    spoken = client.audio.speech.create(model=SPEECH_MODEL, voice="alloy", input=SENTENCE, response_format="opus")
    heard = client.audio.transcriptions.create(model=model, file=("spoken.ogg", spoken.content))
    return f"“{_shortened(heard.text)}”"


def _voice(client: "OpenAI", model: str) -> str:
    data = base64.b64encode(_read_out(client, SPEECH_MODEL)).decode()
    question: Any = {"type": "input_audio", "input_audio": {"data": data, "format": "pcm16"}}
    messages: Any = [{"role": "user", "content": [question]}]
    with client.chat.completions.create(
        model=model, modalities=["text", "audio"], messages=messages, stream=True
    ) as chunks:
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    # Clients of before 2026 give it as the dictionary that it came as.
    told: list[Any] = [json.loads(delta.model_dump_json()).get("audio") or {} for delta in deltas]
    said = "".join(one.get("transcript") or "" for one in told)
    samples = b"".join(base64.b64decode(one.get("data") or "") for one in told)
    return f"asked aloud, answered in {_seconds(samples):.1f} s of sound: “{_shortened(said)}”"


def _embeddings(client: "OpenAI", model: str) -> str:
    near, same, far = client.embeddings.create(model=model, input=["a cup of tea", "a cup of tea", "rain"]).data
    return f"{len(near.embedding)} dimensions; alike {_alike(near, same):.2f}, unlike {_alike(near, far):.2f}"


def _alike(one: "Embedding", other: "Embedding") -> float:
    return sum(left * right for left, right in zip(one.embedding, other.embedding, strict=True))


def _realtime(client: "OpenAI", model: str) -> str:
    question = _read_out(client, SPEECH_MODEL)
    answer = call(client, model=model, question=question, timeout_seconds=TIMEOUT_SECONDS)
    return f"called, and answered in {_seconds(answer.samples):.1f} s of sound: “{_shortened(answer.words)}”"


def _shortened(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


STEPS = (
    Step("Models", "", _models),
    Step("Chat", CHAT_MODEL, _chat),
    Step("Streamed chat", CHAT_MODEL, _stream),
    Step("Tools", CHAT_MODEL, _tools),
    Step("Structured output", CHAT_MODEL, _structured),
    Step("Vision", VISION_MODEL, _vision),
    Step("Voice", VOICE_MODEL, _voice),
    Step("Speech", SPEECH_MODEL, _speech),
    Step("Transcription", HEARING_MODEL, _transcription),
    Step("Embeddings", EMBEDDING_MODEL, _embeddings),
    Step("Realtime call", REALTIME_MODEL, _realtime),
)
