/** The official OpenAI SDK reads our stream: the text, and an error that it raises. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { APIError } from 'openai';
import { Stream } from 'openai/streaming';

import { own } from './world.ts';

interface Chunk {
  object: string;
  choices: { delta: { content?: string }; finish_reason: string | null }[];
}

async function ask(model: string, over: Record<string, unknown> = {}): Promise<Stream<Chunk>> {
  const { scaigrid, id } = await own({ model, ...over });
  const { token } = await scaigrid.mint(id, { visitor_id: 'sdk' });
  const res = await scaigrid.chat('', token, { body: { bot_id: id, message: 'Hello SDK' } });
  assert.equal(res.status, 200);
  assert.match(res.headers.get('content-type') ?? '', /^text\/event-stream/);
  return Stream.fromSSEResponse<Chunk>(res, new AbortController());
}

async function read(stream: Stream<Chunk>, into: { text: string; chunks: number }): Promise<void> {
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    into.chunks++;
    for (const choice of chunk.choices) into.text += choice.delta.content ?? '';
  }
}

void test('the OpenAI SDK reads the text of an answer', async () => {
  const got = { text: '', chunks: 0 };
  await read(await ask('openai/echo'), got);
  assert.equal(got.text, 'You said: Hello SDK');
  assert.ok(got.chunks > 2, 'in parts, named events among them');
});

void test('the OpenAI SDK raises an error in the stream, after what was said before it', async () => {
  const got = { text: '', chunks: 0 };
  const stream = await ask('openai/fault:no-finish@2');
  await assert.rejects(read(stream, got), (e) => e instanceof APIError && e.code === 'BACKEND_ERROR');
  assert.equal(got.text, 'w0 w1 ');
});
