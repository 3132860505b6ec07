// OpenAI's official SDK for Node: a question asked aloud is answered aloud, whole and streamed, and remembered.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const model = 'gpt-4o-audio-preview';
const aloud = { model, modalities: ['text', 'audio'] };
const words = 'one two three four five six seven';
// Where nothing can speak or listen, the simulator hums and says how long it was hummed to.
const understood = new RegExp(`${words}|seconds of sound`);

let question;

before(async () => {
  const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: words, response_format: 'wav' });
  const data = Buffer.from(await speech.arrayBuffer()).toString('base64');
  question = { role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }] };
});

describe('a spoken question', () => {
  test('is answered aloud, and the answer can be named by its id', async () => {
    const { data: first, response } = await client.chat.completions
      .create({ ...aloud, audio: { voice: 'alloy', format: 'wav' }, messages: [question] })
      .withResponse();
    const { content, audio } = first.choices[0].message;

    assert.equal(content, null);
    assert.match(audio.transcript, understood);
    assert.ok(audio.expires_at > Date.now() / 1000);
    const file = Buffer.from(audio.data, 'base64');
    assert.equal(file.toString('latin1', 0, 4), 'RIFF');
    assert.equal(file.readUInt32LE(24), 24_000);
    assert.equal(response.headers.get('x-gateway-ignored'), 'audio.voice');

    const history = [question, { role: 'assistant', audio: { id: audio.id } }];
    const next = await client.chat.completions.create({ model, messages: [...history, { role: 'user', content: 'Say: tea' }] });
    assert.equal(next.choices[0].message.content, 'tea');
  });

  test('is answered aloud as it comes', async () => {
    const stream = await client.chat.completions.create({
      ...aloud,
      audio: { voice: 'alloy', format: 'pcm16' },
      messages: [question],
      stream: true,
    });
    const told = [];
    for await (const { choices } of stream) told.push(...choices.flatMap(({ delta }) => delta.audio ?? []));

    const samples = told.flatMap(({ data }) => (data ? [Buffer.from(data, 'base64')] : []));
    assert.equal(told.filter(({ id }) => id).length, 1);
    assert.equal(told.filter((one) => one.expires_at).length, 1);
    assert.match(told.map(({ transcript }) => transcript ?? '').join(''), understood);
    assert.ok(Buffer.concat(samples).length > 24_000);
  });

  test('is refused by a model that cannot hear', async () => {
    await assert.rejects(
      client.chat.completions.create({ model: 'glm-4.7', messages: [question] }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'messages[0].content[0]',
    );
  });
});
