// Vercel's AI SDK, which holds every answer and chunk against zod schemas: OpenAI's provider and the compatible one.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embed, embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { addFault, clearFaults, counted, picture, until } from './simulator.mjs';

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey } = process.env;
const compatible = (settings) =>
  createOpenAICompatible({ name: 'glm', baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true, ...settings });

const PROVIDERS = [
  { name: '@ai-sdk/openai', of: (id, settings) => createOpenAI(settings).chat(id), reasons: false },
  { name: '@ai-sdk/openai-compatible', of: (id, settings) => compatible(settings).chatModel(id), reasons: true },
];

const withoutReasoning = { openai: { reasoningEffort: 'none' }, glm: { reasoningEffort: 'none' } };

const Place = z.object({ city: z.string(), degrees: z.number().int() });
const tools = {
  get_weather: tool({
    description: 'Get the weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `${city}: sunny`,
  }),
};

/** Reads a stream to its end; a chunk that a schema refuses fails the test. */
const readAll = async (settings) => {
  const result = streamText({ maxRetries: 0, includeRawChunks: true, onError: () => {}, ...settings });
  const parts = [];
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
    parts.push(part);
  }
  return { result, parts, joined: (type) => parts.filter((part) => part.type === type).map((part) => part.text).join('') };
};

afterEach(clearFaults);

for (const { name, of, reasons } of PROVIDERS)
  describe(name, () => {
    const model = of('glm-4.7');
    const prompt = 'Count from 1 to 9';

    test('generates text, with its usage', async () => {
      const answer = await generateText({ model, maxRetries: 0, system: 'Be brief.', prompt });

      assert.equal(answer.text, '1 2 3 4 5 6 7 8 9');
      assert.equal(answer.finishReason, 'stop');
      assert.equal(answer.response.modelId, 'glm-4.7');
      assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens);
      assert.ok(answer.usage.outputTokenDetails.reasoningTokens > 0);
      assert.deepEqual(answer.warnings, []);
      assert.equal(answer.reasoningText !== undefined, reasons);
    });

    test('streams the same text with the same usage', async () => {
      const whole = await generateText({ model, maxRetries: 0, prompt });
      const { result, parts, joined } = await readAll({ model, prompt });

      assert.equal(joined('text-delta'), whole.text);
      assert.equal(joined('reasoning-delta'), whole.reasoningText ?? '');
      assert.deepEqual({ ...(await result.usage), raw: null }, { ...whole.usage, raw: null });
      assert.equal(await result.finishReason, 'stop');
      assert.ok(parts.filter(({ type }) => type === 'text-delta').length > 1);
      assert.ok(parts.some(({ type }) => type === 'raw'));
      assert.deepEqual(
        parts.map(({ type }) => type).filter((type) => /^(reasoning|text)-(start|end)$/.test(type)),
        [...(reasons ? ['reasoning-start', 'reasoning-end'] : []), 'text-start', 'text-end'],
      );
    });

    test('walks through the steps of a tool loop', async () => {
      const answer = await generateText({
        model,
        maxRetries: 0,
        prompt: 'What is the weather in Paris and Rome?',
        tools,
        stopWhen: stepCountIs(3),
      });

      assert.deepEqual(answer.steps.map((step) => step.finishReason), ['tool-calls', 'stop']);
      assert.deepEqual(answer.steps[0].toolCalls.map((call) => call.input), [{ city: 'Paris' }, { city: 'Rome' }]);
      assert.match(answer.text, /Paris: sunny[^]*Rome: sunny/);
    });

    test('streams the steps of a tool loop', async () => {
      const prompt = 'What is the weather in Paris and Rome?';
      const { result, parts } = await readAll({ model, prompt, tools, stopWhen: stepCountIs(3) });

      assert.deepEqual(
        parts.filter(({ type }) => type === 'tool-call').map((call) => [call.toolName, call.input, call.invalid]),
        [
          ['get_weather', { city: 'Paris' }, undefined],
          ['get_weather', { city: 'Rome' }, undefined],
        ],
      );
      assert.equal((await result.steps).length, 2);
      assert.match(await result.text, /Paris: sunny[^]*Rome: sunny/);
    });

    for (const toolChoice of ['required', { type: 'tool', toolName: 'get_weather' }])
      test(`calls a tool when the caller insists: ${toolChoice.type ?? toolChoice}`, async () => {
        const answer = await generateText({ model, maxRetries: 0, prompt: 'What is it like in Oslo?', tools, toolChoice });

        assert.deepEqual(answer.toolCalls.map((call) => call.input), [{ city: 'Oslo' }]);
      });

    test('generates an object', async () => {
      const output = Output.object({ schema: Place });
      const answer = await generateText({ model, maxRetries: 0, prompt: 'It is 21 degrees in Paris.', output });

      assert.deepEqual(answer.output, { city: 'Paris', degrees: 21 });
    });

    test('streams an object', async () => {
      const output = Output.object({ schema: Place });
      const result = streamText({ model, maxRetries: 0, prompt: 'It is 21 degrees in Paris.', output });
      const partial = [];
      for await (const piece of result.partialOutputStream) partial.push(piece);

      assert.deepEqual(await result.output, { city: 'Paris', degrees: 21 });
      assert.deepEqual(partial.at(-1), { city: 'Paris', degrees: 21 });
    });

    test('generates an array and a choice', async () => {
      const places = await generateText({
        model,
        maxRetries: 0,
        prompt: 'It is 21 degrees in Paris.',
        output: Output.array({ element: Place }),
      });
      const choice = await generateText({
        model,
        maxRetries: 0,
        prompt: 'Is it sunny or rainy? It is rainy.',
        output: Output.choice({ options: ['snowy', 'rainy'] }),
      });

      assert.deepEqual(places.output, [{ city: 'Paris', degrees: 21 }]);
      assert.equal(choice.output, 'rainy');
    });

    test('sees a picture', async () => {
      const answer = await generateText({
        model: of('glm-4.6v'),
        maxRetries: 0,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image', image: picture, mediaType: 'image/png' },
            ],
          },
        ],
      });

      assert.match(answer.text, /64 x 48 pixels/);
    });

    test('ends where the caller says', async () => {
      const settings = { model, maxRetries: 0, prompt, providerOptions: withoutReasoning };
      const short = await generateText({ ...settings, maxOutputTokens: 3 });
      const stopped = await generateText({ ...settings, stopSequences: ['5'] });

      assert.deepEqual([short.finishReason, short.usage.outputTokens], ['length', 3]);
      assert.equal(stopped.text.trim(), '1 2 3 4');
    });

    test('frees the place at GLM when the caller leaves a stream', async () => {
      const here = name === '@ai-sdk/openai' ? 'glm-4.5-air' : 'glm-5';
      await addFault({ kind: 'stall', after_chunks: 3, contains: `${name} leaves` });
      const before = await counted(here);
      const leaving = new AbortController();
      const result = streamText({
        model: of(here),
        maxRetries: 0,
        prompt: `Say: a b c d e f ${name} leaves`,
        abortSignal: leaving.signal,
        providerOptions: withoutReasoning,
        onError: () => {},
      });
      const types = [];
      for await (const { type } of result.fullStream) {
        types.push(type);
        if (type === 'text-delta') leaving.abort();
      }

      assert.equal(types.at(-1), 'abort');
      await until(here, ({ cancelled, in_flight }) => cancelled === before.cancelled + 1 && in_flight === 0);
    });

    test('tells an error inside a stream as one', async () => {
      await addFault({ kind: 'error_event', code: '1234', after_chunks: 3, contains: `${name} breaks` });

      await assert.rejects(
        readAll({ model, prompt: `Say: a b c d ${name} breaks` }),
        (error) => /GLM 1234/.test(error.message ?? error),
      );
    });

    const cases = [
      ['a wrong key', () => of('glm-4.7', { apiKey: 'sk-wrong' }), {}, 401, /key/i],
      ['an unknown model', () => of('glm-nope'), {}, 404, /glm-nope/],
      ['two stop words', () => model, { stopSequences: ['a', 'b'] }, 400, /stop word/],
    ];
    for (const [what, modelOf, settings, status, words] of cases)
      test(`tells the fault in the gateway's words: ${what}`, async () => {
        await assert.rejects(generateText({ model: modelOf(), maxRetries: 0, prompt: 'Hello', ...settings }), (error) => {
          assert.ok(APICallError.isInstance(error), error.name);
          assert.equal(error.statusCode, status);
          assert.match(error.message, words);
          assert.equal(error.isRetryable, false);
          return true;
        });
      });

    test('tries again what can pass', async () => {
      await addFault({ kind: 'error', code: '1302', times: 1, contains: `${name} again` });

      assert.equal((await generateText({ model, maxRetries: 1, prompt: `Say: ${name} again` })).text, `${name} again`);
    });
  });

const EMBEDDERS = [
  { name: '@ai-sdk/openai', of: (id) => createOpenAI().embedding(id) },
  { name: '@ai-sdk/openai-compatible', of: (id) => compatible().embeddingModel(id) },
];

for (const { name, of } of EMBEDDERS)
  describe(`${name} embeds`, () => {
    const model = of('embedding-3');

    test('many values, in order, with their usage', async () => {
      const values = Array.from({ length: 150 }, (_, number) => `text number ${number}`);
      const { embeddings, usage } = await embedMany({ model, maxRetries: 0, values });
      const { embedding } = await embed({ model, maxRetries: 0, value: values[100] });

      assert.equal(embeddings.length, 150);
      assert.equal(embedding.length, 2048);
      assert.deepEqual(embeddings[100], embedding);
      assert.notDeepEqual(embeddings[99], embedding);
      assert.ok(usage.tokens >= 150);
    });

    test('with the dimensions that were asked for', async () => {
      const providerOptions = { openai: { dimensions: 512 }, glm: { dimensions: 512 } };
      const { embedding } = await embed({ model, maxRetries: 0, value: 'tea', providerOptions });

      assert.equal(embedding.length, 512);
    });

    test('and tells the fault in the gateway\'s words', async () => {
      await assert.rejects(embedMany({ model: of('glm-nope'), maxRetries: 0, values: ['tea'] }), (error) => {
        assert.ok(APICallError.isInstance(error), error.name);
        assert.equal(error.statusCode, 404);
        assert.match(error.message, /glm-nope/);
        return true;
      });
    });
  });
