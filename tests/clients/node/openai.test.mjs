// OpenAI's official SDK for Node: answers, streams, its helpers and its errors.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { addFault, clearFaults, counted, picture, until } from './simulator.mjs';

const client = new OpenAI({ maxRetries: 0 });
const model = 'glm-4.7';
const says = (content) => [{ role: 'user', content }];
const Place = z.object({ city: z.string(), degrees: z.number().int() });

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const runnableWeather = {
  type: 'function',
  function: { ...weather.function, parse: JSON.parse, function: ({ city }) => `${city}: sunny` },
};

afterEach(clearFaults);

describe('an answer in one piece', () => {
  test('has everything that the API promises', async () => {
    const answer = await client.chat.completions.create({ model, messages: says('Say: tea') });

    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.model, model);
    assert.equal(answer.choices.length, 1);
    const [choice] = answer.choices;
    assert.equal(choice.finish_reason, 'stop');
    assert.equal(choice.logprobs, null);
    assert.equal(choice.message.role, 'assistant');
    assert.equal(choice.message.content, 'tea');
    assert.equal(choice.message.refusal, null);
    assert.match(choice.message.reasoning_content, /Say: tea/);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer.usage.completion_tokens_details.reasoning_tokens > 0);
    assert.ok(answer._request_id);
  });

  test('carries the request id that the caller gave', async () => {
    const { response } = await client.chat.completions
      .create({ model, messages: says('Say: tea') }, { headers: { 'X-Request-Id': 'node-suite-1' } })
      .withResponse();

    assert.equal(response.headers.get('x-request-id'), 'node-suite-1');
    assert.match(response.headers.get('openai-processing-ms'), /^\d+$/);
    assert.equal(response.headers.get('x-ratelimit-limit-requests'), '20');
  });

  test('comes for every choice that was asked for', async () => {
    const one = await client.chat.completions.create({ model, messages: says('Say: tea') });
    const three = await client.chat.completions.create({ model, messages: says('Say: tea'), n: 3 });

    assert.deepEqual(three.choices.map((choice) => [choice.index, choice.message.content]), [
      [0, 'tea'],
      [1, 'tea'],
      [2, 'tea'],
    ]);
    assert.equal(three.usage.completion_tokens, 3 * one.usage.completion_tokens);
  });

  test('tells what a picture in a data URI shows', async () => {
    const url = `data:image/png;base64,${picture.toString('base64')}`;
    const answer = await client.chat.completions.create({
      model: 'glm-4.6v',
      messages: says([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url, detail: 'high' } },
      ]),
    });

    assert.match(answer.choices[0].message.content, /png picture, 64 x 48 pixels/i);
  });

  test('says which parameters had no effect', async () => {
    const { response } = await client.chat.completions
      .create({ model, messages: says('Say: tea'), seed: 7, frequency_penalty: 0.5, whatever: true })
      .withResponse();

    assert.deepEqual(response.headers.get('x-gateway-ignored').split(/, */).sort(), [
      'frequency_penalty',
      'seed',
      'whatever',
    ]);
  });
});

describe('a stream', () => {
  const chunksOf = async (parameters) => {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ model, stream: true, ...parameters }))
      chunks.push(chunk);
    return chunks;
  };

  test('adds up to the answer in one piece, and ends with its usage', async () => {
    const messages = says('Count from 1 to 9');
    const whole = await client.chat.completions.create({ model, messages });
    const chunks = await chunksOf({ messages, stream_options: { include_usage: true } });

    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.deepEqual(last.usage, whole.usage);
    assert.ok(chunks.every((chunk) => chunk.usage === null && chunk.choices.length === 1));
    assert.equal(new Set([last.id, ...chunks.map((chunk) => chunk.id)]).size, 1);
    const deltas = chunks.map((chunk) => chunk.choices[0].delta);
    assert.equal(deltas.map((delta) => delta.content ?? '').join(''), whole.choices[0].message.content);
    assert.equal(
      deltas.map((delta) => delta.reasoning_content ?? '').join(''),
      whole.choices[0].message.reasoning_content,
    );
    assert.deepEqual(deltas.map((delta) => delta.role).filter(Boolean), ['assistant']);
    const reasons = chunks.map((chunk) => chunk.choices[0].finish_reason);
    assert.deepEqual(reasons.filter((reason) => reason !== null), ['stop']);
    assert.equal(reasons.at(-1), 'stop');
  });

  test('has no usage when none was asked for', async () => {
    const chunks = await chunksOf({ messages: says('Count from 1 to 9') });

    assert.ok(chunks.length > 2);
    assert.ok(chunks.every((chunk) => !('usage' in chunk) && !('error' in chunk)));
  });

  test('of several choices is told apart by index', async () => {
    const said = ['', ''];
    for (const { choices } of await chunksOf({ messages: says('Count from 1 to 9'), n: 2 }))
      for (const { index, delta } of choices) said[index] += delta.content ?? '';

    assert.deepEqual(said, ['1 2 3 4 5 6 7 8 9', '1 2 3 4 5 6 7 8 9']);
  });

  test('is put together by the SDK itself', async () => {
    const events = { content: '', contentDone: 0 };
    const stream = client.chat.completions
      .stream({ model, messages: says('Count from 1 to 9'), stream_options: { include_usage: true } })
      .on('content.delta', ({ delta }) => (events.content += delta))
      .on('content.done', () => (events.contentDone += 1));
    const final = await stream.finalChatCompletion();

    assert.equal(final.choices[0].message.content, '1 2 3 4 5 6 7 8 9');
    assert.equal(final.choices[0].message.role, 'assistant');
    assert.deepEqual(events, { content: '1 2 3 4 5 6 7 8 9', contentDone: 1 });
    assert.equal((await stream.totalUsage()).total_tokens, final.usage.total_tokens);
  });

  test('names each tool call once, one call in a chunk', async () => {
    const messages = says('What is the weather in Paris and Rome?');
    const pieces = (await chunksOf({ messages, tools: [weather] })).flatMap(({ choices }) => {
      const { tool_calls: calls = [] } = choices[0].delta;
      assert.ok(calls.length <= 1);
      return calls;
    });

    assert.deepEqual(pieces.filter(({ id }) => id).map(({ index, type, function: { name } }) => [index, type, name]), [
      [0, 'function', 'get_weather'],
      [1, 'function', 'get_weather'],
    ]);
    assert.ok(pieces.every((piece) => piece.id || !(piece.type || piece.function.name)));
    assert.ok(pieces.length > 2, 'arguments come in pieces');
  });

  test('of tool calls is put together by the SDK itself', async () => {
    const done = [];
    const stream = client.chat.completions
      .stream({ model, messages: says('What is the weather in Paris and Rome?'), tools: [weather] })
      .on('tool_calls.function.arguments.done', (event) => done.push([event.index, event.name]));
    const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0];

    assert.equal(finish_reason, 'tool_calls');
    assert.deepEqual(message.tool_calls.map((call) => [call.type, JSON.parse(call.function.arguments)]), [
      ['function', { city: 'Paris' }],
      ['function', { city: 'Rome' }],
    ]);
    assert.deepEqual(done, [
      [0, 'get_weather'],
      [1, 'get_weather'],
    ]);
  });

  test('frees the place at GLM when the caller leaves', async () => {
    const here = 'glm-4.5';
    await addFault({ kind: 'stall', after_chunks: 3, contains: 'openai leaves' });
    const before = await counted(here);
    const stream = await client.chat.completions.create({
      model: here,
      messages: says('Say: openai leaves'),
      stream: true,
    });
    for await (const _ of stream) {
      assert.equal((await counted(here)).in_flight, 1);
      break; // leaving the loop aborts the request
    }

    await until(here, ({ cancelled, in_flight }) => cancelled === before.cancelled + 1 && in_flight === 0);
  });

  test('that breaks off raises the error that GLM gave', async () => {
    await addFault({ kind: 'error_event', code: '1234', after_chunks: 3, contains: 'openai breaks' });
    let said = '';

    await assert.rejects(
      async () => {
        const messages = says('Say: a b c d e f g h openai breaks');
        const stream = await client.chat.completions.create({ model, messages, stream: true, reasoning_effort: 'none' });
        for await (const { choices } of stream) said += choices[0].delta.content ?? '';
      },
      (error) => error instanceof OpenAI.APIError && error.code === 'upstream_error' && /GLM 1234/.test(error.message),
    );
    assert.match(said, /^a b/);
  });
});

describe('tools', () => {
  test('are called in a loop until there is an answer', async () => {
    const called = [];
    const runner = client.chat.completions
      .runTools({ model, messages: says('What is the weather in Paris and Rome?'), tools: [runnableWeather] })
      .on('functionToolCall', ({ arguments: given }) => called.push(JSON.parse(given).city));
    const answer = await runner.finalContent();

    assert.deepEqual(called, ['Paris', 'Rome']);
    assert.match(answer, /Paris: sunny[^]*Rome: sunny/);
  });

  test('are called in a streamed loop as well', async () => {
    const messages = says('What is the weather in Paris?');
    const runner = client.chat.completions.runTools({ model, messages, tools: [runnableWeather], stream: true });
    for await (const _ of runner);

    assert.equal(await runner.finalContent(), 'get_weather says: Paris: sunny');
    assert.deepEqual(runner.messages.map(({ role }) => role), ['user', 'assistant', 'tool', 'assistant']);
  });

  for (const [name, tool_choice] of [
    ['any', 'required'],
    ['by name', { type: 'function', function: { name: 'get_weather' } }],
  ])
    test(`are called when the caller insists: ${name}`, async () => {
      const messages = says('What is it like in Paris?');
      const answer = await client.chat.completions.create({ model, messages, tools: [weather], tool_choice });

      assert.equal(answer.choices[0].message.tool_calls[0].function.name, 'get_weather');
    });

  test('are not called when the caller says none', async () => {
    const messages = says('What is the weather in Paris?');
    const answer = await client.chat.completions.create({ model, messages, tools: [weather], tool_choice: 'none' });

    assert.equal(answer.choices[0].message.tool_calls, undefined);
    assert.equal(answer.choices[0].finish_reason, 'stop');
  });

  test('made from zod schemas are parsed', async () => {
    const answer = await client.chat.completions.parse({
      model,
      messages: says('Remember the place: it is 21 degrees in Paris.'),
      tools: [zodFunction({ name: 'remember_place', parameters: Place })],
    });

    assert.deepEqual(answer.choices[0].message.tool_calls[0].function.parsed_arguments, { city: 'Paris', degrees: 21 });
  });
});

describe('a structured answer', () => {
  const parameters = {
    model,
    messages: says('It is 21 degrees in Paris.'),
    response_format: zodResponseFormat(Place, 'place'),
  };

  test('is parsed', async () => {
    const answer = await client.chat.completions.parse(parameters);

    assert.deepEqual(answer.choices[0].message.parsed, { city: 'Paris', degrees: 21 });
  });

  test('is parsed from a stream', async () => {
    const final = await client.chat.completions.stream(parameters).finalChatCompletion();

    assert.deepEqual(final.choices[0].message.parsed, { city: 'Paris', degrees: 21 });
  });
});

describe('errors', () => {
  const cases = [
    ['a wrong key', { apiKey: 'sk-wrong' }, {}, OpenAI.AuthenticationError, 401, 'invalid_api_key', null],
    ['an unknown model', {}, { model: 'glm-nope' }, OpenAI.NotFoundError, 404, 'model_not_found', 'model'],
    ['what GLM cannot do', {}, { logprobs: true }, OpenAI.BadRequestError, 400, 'unsupported_parameter', 'logprobs'],
    ['two stop words', {}, { stop: ['a', 'b'] }, OpenAI.BadRequestError, 400, 'unsupported_value', 'stop'],
    ['a wrong type', {}, { temperature: 'hot' }, OpenAI.BadRequestError, 400, 'invalid_type', 'temperature'],
    ['no messages', {}, { messages: [] }, OpenAI.BadRequestError, 400, 'invalid_value', 'messages'],
  ];
  for (const [name, options, parameters, Kind, status, code, param] of cases)
    test(`name the fault: ${name}`, async () => {
      const asked = { model, messages: says('Hello'), ...parameters };

      await assert.rejects(client.withOptions(options).chat.completions.create(asked), (error) => {
        assert.ok(error instanceof Kind, error.constructor.name);
        assert.deepEqual([error.status, error.code, error.param], [status, code, param]);
        assert.ok(error.requestID);
        assert.doesNotMatch(error.message, /status code \(no body\)/);
        return true;
      });
    });

  const faults = [
    ['1301', OpenAI.BadRequestError, 'content_filter'],
    ['1261', OpenAI.BadRequestError, 'context_length_exceeded'],
    ['1113', OpenAI.RateLimitError, 'insufficient_quota'],
    ['1000', OpenAI.InternalServerError, 'upstream_account_rejected'],
    ['1305', OpenAI.InternalServerError, 'upstream_overloaded'],
  ];
  for (const [number, Kind, code] of faults)
    test(`of GLM come before the stream begins: ${number}`, async () => {
      await addFault({ kind: 'error', code: number, times: null, contains: `openai ${number}` });
      const asked = client.chat.completions.create({ model, messages: says(`Say: openai ${number}`), stream: true });

      await assert.rejects(asked, (error) => error instanceof Kind && error.code === code);
    });

  test('come as JSON from an address that does not exist', async () => {
    await assert.rejects(client.get('/nowhere'), (error) => error.status === 404 && error.code === 'unknown_url');
  });

  test('that can pass are tried again by the SDK', async () => {
    await addFault({ kind: 'error', code: '1302', times: 1, contains: 'openai again' });
    const patient = client.withOptions({ maxRetries: 2 });
    const answer = await patient.chat.completions.create({ model, messages: says('Say: openai again') });

    assert.equal(answer.choices[0].message.content, 'openai again');
  });
});

describe('models', () => {
  test('are listed, and found by name', async () => {
    const ids = [];
    for await (const { id, object } of client.models.list()) {
      assert.equal(object, 'model');
      ids.push(id);
    }

    assert.ok(ids.includes(model));
    assert.equal((await client.models.retrieve(model)).id, model);
    await assert.rejects(client.models.retrieve('glm-nope'), OpenAI.NotFoundError);
  });
});

describe('embeddings', () => {
  const texts = ['tea', '今天北京天气很好', 'tea'];

  test('are the same numbers by default, where they travel as base64, as in JSON', async () => {
    const packed = await client.embeddings.create({ model: 'text-embedding-3-large', input: texts });
    const plain = await client.embeddings.create({ model: 'embedding-3', input: texts, encoding_format: 'float' });

    assert.equal(packed.model, 'embedding-3');
    assert.deepEqual(packed.data.map(({ index, object }) => [index, object]), [[0, 'embedding'], [1, 'embedding'], [2, 'embedding']]);
    assert.deepEqual(packed.data.map((one) => one.embedding), plain.data.map((one) => one.embedding.map(Math.fround)));
    assert.deepEqual(packed.data[0].embedding, packed.data[2].embedding);
    assert.equal(packed.usage.total_tokens, packed.usage.prompt_tokens);
  });

  test('have the dimensions that were asked for, or say which there are', async () => {
    const { data } = await client.embeddings.create({ model: 'embedding-3', input: 'tea', dimensions: 256 });

    assert.equal(data[0].embedding.length, 256);
    await assert.rejects(
      client.embeddings.create({ model: 'embedding-3', input: 'tea', dimensions: 768 }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'dimensions' && /256, 512, 1024, 2048/.test(error.message),
    );
  });
});
