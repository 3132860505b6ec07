// Speech and recordings with OpenAI's SDK for Node and with Vercel's AI SDK: what one reads out the other understands.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createOpenAI } from '@ai-sdk/openai';
import { experimental_generateSpeech as generateSpeech, experimental_transcribe as transcribe } from 'ai';
import OpenAI, { toFile } from 'openai';

const sentence = 'what is your name';
const client = new OpenAI({ maxRetries: 0 });
const openai = createOpenAI();
const skip = process.env.SIMULATOR_HEARS ? false : 'pocketsphinx is not installed';

const spoken = async (format) => {
  const answer = await client.audio.speech.create({
    model: 'tts-1',
    voice: 'alloy',
    input: sentence,
    response_format: format,
  });
  return { type: answer.headers.get('content-type'), bytes: Buffer.from(await answer.arrayBuffer()) };
};

describe('the SDK for Node', () => {
  for (const [format, type, magic] of [
    ['wav', 'audio/wav', 'RIFF'],
    ['opus', 'audio/ogg', 'OggS'],
  ])
    test(`has a sentence read out as ${format}, and it is understood`, { skip }, async () => {
      const { type: told, bytes } = await spoken(format);
      const file = await toFile(bytes, 'recording');
      const { text } = await client.audio.transcriptions.create({ file, model: 'gpt-4o-transcribe' });

      assert.equal(told, type);
      assert.equal(bytes.subarray(0, 4).toString('latin1'), magic);
      assert.equal(text, sentence);
    });

  test('hears the first sound before the last was made', async () => {
    const answer = await client.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input: 'This is one of many sentences. '.repeat(40),
      response_format: 'pcm',
    });
    const pieces = [];
    for await (const piece of answer.body) pieces.push(piece.length);

    assert.ok(pieces.length > 3);
    assert.ok(pieces.reduce((sum, size) => sum + size) > 24_000 * 2 * 40);
  });

  test('is told what is heard as it is heard', { skip }, async () => {
    const { bytes } = await spoken('wav');
    const file = await toFile(bytes, 'a.wav', { type: 'application/octet-stream' });
    const events = [];
    for await (const event of await client.audio.transcriptions.create({
      file,
      model: 'gpt-4o-transcribe',
      stream: true,
    }))
      events.push(event);

    const done = events.pop();
    assert.equal(done.type, 'transcript.text.done');
    assert.equal(done.text, sentence);
    assert.equal(events.map(({ delta }) => delta).join(''), sentence);
  });

  test('gets segments and subtitles with times', { skip }, async () => {
    const { bytes } = await spoken('mp3');
    const ask = async (response_format) =>
      client.audio.transcriptions.create({
        file: await toFile(bytes, 'a.mp3'),
        model: 'whisper-1',
        response_format,
        timestamp_granularities: ['segment'],
      });
    const { duration, language, segments } = await ask('verbose_json');

    assert.equal(language, 'english');
    assert.equal(segments.map(({ text }) => text).join(' '), sentence);
    assert.ok(segments.every(({ start, end }) => start >= 0 && start < end && end <= duration));
    assert.match(await ask('srt'), /^1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\nwhat is your name\n/);
  });

  test('is told what is wrong with a file', async () => {
    const file = await toFile(Buffer.from('This is no sound at all.'), 'a.mp3');

    await assert.rejects(client.audio.transcriptions.create({ file, model: 'whisper-1' }), (error) => {
      assert.equal(error.status, 400);
      assert.equal(error.param, 'file');
      assert.match(error.message, /not audio/);
      return true;
    });
  });
});

describe('the AI SDK', () => {
  test('generates speech, and transcribes it', { skip }, async () => {
    const { audio } = await generateSpeech({
      model: openai.speech('tts-1'),
      text: sentence,
      voice: 'alloy',
      maxRetries: 0,
    });
    const { text } = await transcribe({
      model: openai.transcription('gpt-4o-mini-transcribe'),
      audio: audio.uint8Array,
      maxRetries: 0,
    });

    assert.equal(audio.mediaType, 'audio/mpeg');
    assert.equal(text, sentence);
  });

  test('reads segments, language and duration where it asks for them', { skip }, async () => {
    const { bytes } = await spoken('wav');
    const { text, segments, language, durationInSeconds } = await transcribe({
      model: openai.transcription('whisper-1'),
      audio: bytes,
      maxRetries: 0,
      providerOptions: { openai: { language: 'en', timestampGranularities: ['segment'] } },
    });

    assert.equal(text, sentence);
    assert.equal(language, 'en');
    assert.equal(segments.map((segment) => segment.text).join(' '), sentence);
    assert.ok(durationInSeconds > 1);
    assert.ok(segments.every(({ startSecond, endSecond }) => startSecond < endSecond));
  });
});
