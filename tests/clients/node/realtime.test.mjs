// Calls with OpenAI's official SDK for Node, which insists on TLS, and with OpenAI's Agents SDK.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer } from 'node:tls';

import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { z } from 'zod';

const gateway = new URL(process.env.OPENAI_BASE_URL);
const model = 'gpt-realtime';
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'Get the weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

let question;

before(async () => {
  const input = 'What is the weather in Paris and London?';
  const speech = await new OpenAI().audio.speech.create({ model: 'tts-1', voice: 'tongtong', input, response_format: 'pcm' });
  question = Buffer.concat([Buffer.alloc(24_000), Buffer.from(await speech.arrayBuffer()), Buffer.alloc(48_000)]);
});

/** Gives a sound in frames of 100 ms, twice as fast as people speak. */
async function* frames(sound) {
  for (let at = 0; at < sound.length; at += 4800) {
    yield sound.subarray(at, at + 4800);
    await pause(50);
  }
}

/** Gives why tests are skipped that need a program and the simulator's ear: without them nothing is understood. */
const without = (...programs) => {
  if (!process.env.SIMULATOR_HEARS) return 'pocketsphinx is not installed';
  const missing = programs.find((program) => spawnSync(program, ['--version']).error);
  return missing ? `${missing} is not installed` : false;
};

describe("OpenAI's SDK over TLS", { skip: without('espeak-ng', 'openssl') }, () => {
  let place, server, tls;

  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'realtime-'));
    const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    });
    tls = { key: readFileSync(key), cert: readFileSync(cert) };
    server = createServer(tls, (client) => {
      const plain = connect(Number(gateway.port), gateway.hostname);
      client.on('error', () => plain.destroy());
      plain.on('error', () => client.destroy());
      client.pipe(plain).pipe(client);
    });
    await new Promise((resolve) => server.listen(0, resolve));
  });

  after(() => {
    server?.close();
    rmSync(place, { recursive: true });
  });

  const call = async () => {
    const client = new OpenAI({ baseURL: `https://localhost:${server.address().port}/v1` });
    const socket = new OpenAIRealtimeWS({ model, options: { ca: tls.cert, perMessageDeflate: false } }, client);
    const heard = [];
    let wake = () => {};
    socket.on('event', (event) => {
      heard.push(event);
      wake();
    });
    let read = 0;
    const until = async (type) => {
      const events = [];
      for (;;) {
        while (read < heard.length) {
          const event = heard[read++];
          assert.notEqual(event.type, 'error', JSON.stringify(event));
          events.push(event);
          if (event.type === type) return events;
        }
        await new Promise((resolve) => (wake = resolve));
      }
    };
    socket.on('error', () => {});
    await until('session.created');
    return { socket, until };
  };

  const update = async ({ socket, until }, session) => {
    socket.send({ type: 'session.update', session: { type: 'realtime', ...session } });
    await until('session.updated');
  };

  const joined = (events, type, name = 'delta') =>
    events.filter((event) => event.type === type).map((event) => event[name]).join('');

  test('holds a typed and a spoken turn', async () => {
    const one = await call();
    await update(one, { audio: { input: { transcription: { model: 'whisper-1' } } } });
    const content = [{ type: 'input_text', text: 'Say good evening' }];
    one.socket.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    one.socket.send({ type: 'response.create' });
    const typed = await one.until('response.done');
    for await (const frame of frames(question)) {
      one.socket.send({ type: 'input_audio_buffer.append', audio: frame.toString('base64') });
    }
    const spoken = await one.until('response.done');
    one.socket.close();

    assert.equal(joined(typed, 'response.output_audio_transcript.delta'), 'good evening');
    assert.match(joined(spoken, 'conversation.item.input_audio_transcription.completed', 'transcript'), /paris and london/);
    assert.match(joined(spoken, 'response.output_audio_transcript.done', 'transcript'), /Paris and London/);
  });

  test('calls two functions at once', async () => {
    const one = await call();
    await update(one, { tools: [weather] });
    for await (const frame of frames(question)) {
      one.socket.send({ type: 'input_audio_buffer.append', audio: frame.toString('base64') });
    }
    const { response } = (await one.until('response.done')).at(-1);
    for (const { call_id, arguments: said } of response.output) {
      const output = `Rain in ${JSON.parse(said).city}`;
      one.socket.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id, output } });
    }
    one.socket.send({ type: 'response.create' });
    const told = joined(await one.until('response.done'), 'response.output_audio_transcript.done', 'transcript');
    one.socket.close();

    assert.equal(response.output.length, 2);
    assert.match(told, /Rain in Paris/);
    assert.match(told, /Rain in London/);
  });
});

describe("OpenAI's Agents SDK", { skip: without('espeak-ng') }, () => {
  const begin = async (tools = []) => {
    const agent = new RealtimeAgent({ name: 'Weather', instructions: 'Be brief.', tools });
    const session = new RealtimeSession(agent, { transport: 'websocket', model, tracingDisabled: true });
    const errors = [];
    session.on('error', (error) => errors.push(error));
    const url = `ws${process.env.OPENAI_BASE_URL.slice(4)}/realtime?model=${model}`;
    await session.connect({ apiKey: process.env.OPENAI_API_KEY, url });
    return { session, errors };
  };

  /** Waits until one of the answers matches. */
  const said = async (session, wanted) => {
    for (;;) {
      const answers = session.history.filter((item) => item.role === 'assistant' && item.status !== 'in_progress');
      const words = answers.map(({ content }) => content.map((part) => part.transcript ?? part.text ?? '').join(''));
      if (words.some((one) => wanted.test(one))) return;
      await pause(20);
    }
  };

  const speak = async (session) => {
    for await (const frame of frames(question)) session.sendAudio(new Uint8Array(frame).buffer);
  };

  test('remembers what is typed', async () => {
    const { session, errors } = await begin();
    session.sendMessage('My name is Ada');
    await said(session, /Ada/);
    session.sendMessage('What is my name?');
    await said(session, /^Ada$/);
    session.close();

    assert.deepEqual(errors, []);
  });

  test('has what was spoken in its history, and in order', async () => {
    const { session, errors } = await begin();
    await speak(session);
    await said(session, /Paris and London/);
    const roles = session.history.map((item) => item.role);
    const heard = session.history[0].content.map((part) => part.transcript).join('');
    session.close();

    assert.deepEqual(roles, ['user', 'assistant']);
    assert.match(heard, /paris and london/);
    assert.deepEqual(errors, []);
  });

  test('calls two functions at once', async () => {
    const asked = [];
    const getWeather = tool({
      name: 'get_weather',
      description: 'Get the weather in a city',
      parameters: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(city);
        return `Rain in ${city}`;
      },
    });
    const { session, errors } = await begin([getWeather]);
    await speak(session);
    // It asks for an answer after each result, so both may be in one answer or in two.
    await said(session, /Rain in Paris/);
    await said(session, /Rain in London/);
    session.close();

    assert.deepEqual(asked.sort(), ['London', 'Paris']);
    assert.deepEqual(errors, []);
  });

  test('is interrupted by who speaks', async () => {
    const { session, errors } = await begin();
    let interrupted = false;
    session.on('audio_interrupted', () => (interrupted = true));
    const sounding = new Promise((resolve) => session.once('audio', resolve));
    session.sendMessage('Count from 1 to 60');
    await sounding;
    await speak(session);
    await said(session, /Paris and London/);
    session.close();

    assert.ok(interrupted);
    assert.deepEqual(errors, []);
  });
});
