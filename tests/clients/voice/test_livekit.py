"""LiveKit's classes for OpenAI's speech and speech recognition: what one says the other understands."""

from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, APIStatusError
from livekit.plugins import openai

SENTENCE = "one two three four five six seven"
ONCE = APIConnectOptions(max_retry=0, timeout=60)


async def spoken(text: str, **options: str) -> list[rtc.AudioFrame]:
    speaker = openai.TTS(voice="alloy", **options)
    try:
        return [said.frame async for said in speaker.synthesize(text, conn_options=ONCE)]
    finally:
        await speaker.aclose()


@pytest.fixture(params=["whisper-1", "gpt-4o-transcribe"])
async def listener(request: pytest.FixtureRequest) -> AsyncIterator[openai.STT]:
    one = openai.STT(model=request.param)
    yield one
    await one.aclose()


@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts"], ids=["bytes", "events"])
# Not flac: LiveKit's own decoder drops its first frame, and with it the first word, whoever made the file.
@pytest.mark.parametrize("response_format", ["mp3", "opus", "aac", "wav", "pcm"])
async def test_what_is_said_in_any_format_is_understood(model: str, response_format: str) -> None:
    frames = await spoken(SENTENCE, model=model, response_format=response_format)
    heard = await openai.STT(model="whisper-1").recognize(frames, conn_options=ONCE)

    assert {24_000} == {frame.sample_rate for frame in frames}
    assert SENTENCE == heard.alternatives[0].text


async def test_a_language_comes_with_the_text(listener: openai.STT) -> None:
    heard = await listener.recognize(await spoken(SENTENCE, response_format="wav"), conn_options=ONCE)

    assert SENTENCE == heard.alternatives[0].text
    assert "en" == str(heard.alternatives[0].language)


async def test_a_refusal_keeps_its_status() -> None:
    """An agent asks again where that can help, and here it cannot."""
    with pytest.raises(APIStatusError) as refused:
        await openai.STT(model="glm-4.7").recognize(await spoken("Hello."), conn_options=ONCE)

    assert (400, False) == (refused.value.status_code, refused.value.retryable)
