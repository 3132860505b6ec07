// Node clients that ask for responses: OpenAI's SDK, Vercel's AI SDK by a plain name, the Agents SDK, and Codex.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Agent, handoff, OpenAIProvider, Runner, tool as agentTool } from '@openai/agents';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey } = process.env;
const model = 'glm-4.7';
const question = 'What is the weather in Paris?';
const Place = z.object({ city: z.string(), degrees: z.number().int() });

describe('the official SDK', () => {
  const client = new OpenAI({ maxRetries: 0 });
  const weather = {
    type: 'function',
    name: 'get_weather',
    description: 'Get the weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    strict: false,
  };

  test('streams what it also gets whole', async () => {
    const whole = await client.responses.create({ model, input: 'Count from 1 to 9' });
    const stream = client.responses.stream({ model, input: 'Count from 1 to 9' });
    const numbers = [];
    for await (const event of stream) numbers.push(event.sequence_number);
    const streamed = await stream.finalResponse();

    assert.equal(streamed.output_text, '1 2 3 4 5 6 7 8 9');
    assert.equal(whole.output_text, streamed.output_text);
    assert.deepEqual(numbers, [...numbers.keys()]);
    assert.deepEqual(whole.usage, streamed.usage);
  });

  test('parses an answer', async () => {
    const response = await client.responses.parse({
      model,
      input: 'It is 21 degrees in Paris.',
      text: { format: zodTextFormat(Place, 'place') },
    });

    assert.deepEqual(response.output_parsed, { city: 'Paris', degrees: 21 });
  });

  test('calls a function and goes on by id', async () => {
    const first = await client.responses.create({ model, input: question, tools: [weather] });
    const call = first.output.find((item) => item.type === 'function_call');
    const second = await client.responses.create({
      model,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
      tools: [weather],
    });

    assert.deepEqual(JSON.parse(call.arguments), { city: 'Paris' });
    assert.match(second.output_text, /sunny/);
  });

  test('counts the tokens that a response then takes in', async () => {
    const asked = { model, input: 'Say: tea', instructions: 'Be brief.' };
    const counted = await client.responses.inputTokens.count(asked);
    const made = await client.responses.create(asked);

    assert.equal(counted.input_tokens, made.usage.input_tokens);
  });

  test('makes in the background', async () => {
    let made = await client.responses.create({ model, input: 'Say: tea', background: true });
    assert.equal(made.status, 'queued');
    while (made.status === 'queued' || made.status === 'in_progress') made = await client.responses.retrieve(made.id);

    assert.equal(made.output_text, 'tea');
  });

  test('fetches, lists and deletes', async () => {
    const made = await client.responses.create({ model, input: 'Say: tea' });
    const items = [];
    for await (const item of client.responses.inputItems.list(made.id)) items.push(item.type);
    assert.deepEqual(items, ['message']);
    assert.equal((await client.responses.retrieve(made.id)).output_text, 'tea');

    await client.responses.delete(made.id);
    await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
  });
});

describe("the AI SDK's openai()", () => {
  const provider = createOpenAI();
  const tools = {
    get_weather: tool({
      description: 'Get the weather of a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `${city}: sunny`,
    }),
  };
  const asked = { model: provider(model), maxRetries: 0 };

  // With what is kept it hands references back, without it the items themselves.
  for (const store of [true, false])
    test(`calls tools, ${store ? 'referring to items' : 'handing items back'}`, async () => {
      const answer = await generateText({
        ...asked,
        tools,
        prompt: question,
        stopWhen: stepCountIs(3),
        providerOptions: { openai: { store, include: ['reasoning.encrypted_content'] } },
      });

      assert.equal(answer.steps.length, 2);
      assert.match(answer.text, /Paris: sunny/);
      assert.ok(answer.usage.outputTokenDetails.reasoningTokens > 0);
    });

  test('streams text, reasoning and calls', async () => {
    const result = streamText({
      ...asked,
      tools,
      prompt: question,
      stopWhen: stepCountIs(3),
      onError: () => {},
      providerOptions: { openai: { reasoningSummary: 'auto', forceReasoning: true } },
    });
    const parts = [];
    for await (const part of result.fullStream) {
      if (part.type === 'error') throw part.error;
      parts.push(part);
    }

    assert.match(await result.text, /Paris: sunny/);
    assert.match(parts.filter((part) => part.type === 'reasoning-delta').map((part) => part.text).join(''), /weather/);
    assert.equal(parts.filter((part) => part.type === 'tool-result').length, 1);
  });

  test('reads an object', async () => {
    const { output } = await generateText({
      ...asked,
      prompt: 'It is 21 degrees in Paris.',
      output: Output.object({ schema: Place }),
    });

    assert.deepEqual(output, { city: 'Paris', degrees: 21 });
  });

  test('searches the web', async () => {
    const answer = await generateText({
      ...asked,
      tools: { web_search: provider.tools.webSearch({}) },
      prompt: 'Who won?',
    });

    assert.match(answer.text, /\[ref_1\]/);
    assert.equal(answer.sources[0].url, 'https://example.com/1');
  });
});

describe('the Agents SDK', () => {
  const runner = new Runner({ modelProvider: new OpenAIProvider({ baseURL, apiKey }), tracingDisabled: true });
  const weather = agentTool({
    name: 'get_weather',
    description: 'Get the weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => `${city}: sunny`,
  });

  test('calls a tool, whole and streamed', async () => {
    const agent = new Agent({ name: 'Weather', model, tools: [weather] });
    const whole = await runner.run(agent, question);
    const streamed = await runner.run(agent, question, { stream: true });
    for await (const _ of streamed);
    await streamed.completed;

    assert.equal(whole.finalOutput, 'get_weather says: Paris: sunny');
    assert.equal(streamed.finalOutput, whole.finalOutput);
  });

  test('hands over', async () => {
    const spanish = new Agent({ name: 'Spanish', instructions: 'Answer in Spanish.', model });
    const triage = new Agent({ name: 'Triage', instructions: 'Hand off.', model, handoffs: [handoff(spanish)] });

    const result = await runner.run(triage, 'Please transfer me to somebody who speaks spanish');

    assert.equal(result.lastAgent.name, 'Spanish');
  });
});

describe('Codex', () => {
  test('runs a task in a shell and tells how it went', async () => {
    const home = await mkdtemp(join(tmpdir(), 'codex-'));
    try {
      const provider = `{ name = "GLM", base_url = "${baseURL}", env_key = "OPENAI_API_KEY", wire_api = "responses" }`;
      const settings = `model = "${model}"\nmodel_provider = "glm"\nweb_search = "disabled"\nmodel_providers.glm = ${provider}\n`;
      await writeFile(join(home, 'config.toml'), settings);
      const order = 'You must call the function exec_command with cmd "echo bonjour > greeting.txt".';
      const options = ['exec', '--skip-git-repo-check', '--sandbox', 'danger-full-access', '--cd', home, order];

      const running = promisify(execFile)(join('node_modules', '.bin', 'codex'), options, {
        env: { ...process.env, CODEX_HOME: home },
      });
      running.child.stdin.end();
      const { stdout } = await running;

      assert.match(stdout, /exited with code 0/);
      assert.equal(await readFile(join(home, 'greeting.txt'), 'utf8'), 'bonjour\n');
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
