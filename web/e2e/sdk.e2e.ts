/** The official OpenAI SDK reads our stream: text, and an error that it raises. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { APIError } from 'openai';
import { Stream } from 'openai/streaming';

import { Installation } from './installation.ts';

interface Chunk {
  object: string;
  choices: { delta: { content?: string } }[];
}

let scaigrid: Installation;
before(async () => {
  scaigrid = await Installation.start();
});
after(() => scaigrid.stop());

async function stream(model: string): Promise<Stream<Chunk>> {
  const bot = await scaigrid.bot({ model });
  const { token } = await scaigrid.mint(bot, { visitor_id: 'sdk' });
  const controller = new AbortController();
  const res = await fetch(`${scaigrid.local}/v1/modules/scaibot/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ bot_id: bot, message: 'Hello SDK' }),
    signal: controller.signal,
  });
  assert.equal(res.status, 200);
  return Stream.fromSSEResponse<Chunk>(res, controller);
}

void test('the text of an answer', async () => {
  let text = '';
  for await (const chunk of await stream('openai/echo')) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    for (const choice of chunk.choices) text += choice.delta.content ?? '';
  }
  assert.equal(text, 'You said: Hello SDK');
});

void test('an error in the stream is raised', async () => {
  let text = '';
  await assert.rejects(
    async () => {
      for await (const chunk of await stream('openai/fault:no-finish@2'))
        for (const choice of chunk.choices) text += choice.delta.content ?? '';
    },
    (e) => e instanceof APIError && e.code === 'BACKEND_ERROR',
  );
  assert.equal(text, 'w0 w1 ');
});
