"""Pipecat's services for OpenAI's speech and speech recognition, each in a pipeline."""

import re

from pipecat.frames.frames import (
    ErrorFrame,
    InputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.worker import PipelineParams
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.tests.utils import run_test

SENTENCE = "one two three four five six seven"
RATE = 24_000
PARAMS = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
FRAME_BYTES = RATE // 50 * 2


async def said(text: str, **settings: object) -> bytes:
    """Give the samples that the service says, which are 24 kHz whatever else is asked."""
    speaker = OpenAITTSService(settings=OpenAITTSService.Settings(voice="alloy", **settings))
    down, up = await run_test(
        speaker, frames_to_send=[TTSSpeakFrame(text)], pipeline_params=PARAMS, start_timeout=20
    )
    assert not [frame for frame in (*down, *up) if isinstance(frame, ErrorFrame)]
    frames = [frame for frame in down if isinstance(frame, TTSAudioRawFrame)]
    assert {(RATE, 1)} == {(frame.sample_rate, frame.num_channels) for frame in frames}
    return b"".join(frame.audio for frame in frames)


async def understood(pcm: bytes, **settings: object) -> TranscriptionFrame:
    listener = OpenAISTTService(settings=OpenAISTTService.Settings(**settings))
    sent = [InputAudioRawFrame(pcm[at : at + FRAME_BYTES], RATE, 1) for at in range(0, len(pcm), FRAME_BYTES)]
    down, _ = await run_test(
        listener,
        frames_to_send=[VADUserStartedSpeakingFrame(), *sent, VADUserStoppedSpeakingFrame()],
        pipeline_params=PARAMS,
        start_timeout=20,
    )
    [heard] = [frame for frame in down if isinstance(frame, TranscriptionFrame)]
    return heard


async def test_what_is_said_is_understood() -> None:
    pcm = await said(SENTENCE)

    heard = await understood(pcm, model="gpt-4o-transcribe")

    assert SENTENCE == heard.text


async def test_whisper_is_asked_for_more_than_the_text() -> None:
    heard = await understood(await said(SENTENCE), model="whisper-1", temperature=0.0, prompt="Numbers.")

    assert SENTENCE == heard.text


async def test_speed_is_heard() -> None:
    usual, fast = await said(SENTENCE), await said(SENTENCE, speed=1.5, instructions="Cheerfully.")

    assert len(fast) < 0.8 * len(usual)


async def test_a_refusal_is_an_error_of_the_pipeline() -> None:
    listener = OpenAISTTService(settings=OpenAISTTService.Settings(model="glm-4.7"))
    [error] = [frame async for frame in listener.run_stt(b"RIFF and no more")]

    assert isinstance(error, ErrorFrame)
    assert re.search("glm-4.7", error.error)
