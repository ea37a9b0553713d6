import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startStub, type Stub } from '../../test/stub-server.mjs';
import type { Token, TokenFeed } from '../seam.ts';
import { ApiError, Client } from './client.ts';
import type { Clock } from './stream.ts';
import { TokenEnded, Tokens } from './tokens.ts';
import { Turn } from './turn.ts';
import { uuid } from './visitor.ts';

let stub: Stub;
before(async () => {
  Object.assign(globalThis, { window: new EventTarget() });
  stub = await startStub();
  stub.control.pace = 0;
  stub.control.wait = 0;
});
after(() => stub.close());

const hurry: Clock = {
  after(ms, fn) {
    const timer = setTimeout(fn, ms > 10_000 ? ms : 0); // waits for another try are none
    return () => clearTimeout(timer);
  },
  chance: () => 1,
};

/** A feed whose tokens the test hands out. */
class Feed implements TokenFeed {
  token: Token | undefined;
  failing = false;
  ended = false;
  refreshes = 0;
  readonly #listeners = new Set<() => void>();
  constructor(private readonly next: () => string | undefined) {
    this.give();
  }
  give(): void {
    const raw = this.next();
    if (raw) this.token = { raw, sub: '', anon: true, preview: false, life: 3600_000, born: performance.now() };
    else this.ended = true;
    for (const fn of [...this.#listeners]) fn();
  }
  refresh(): boolean {
    this.refreshes++;
    setTimeout(() => this.give(), 1);
    return true;
  }
  listen(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }
}

interface Bench {
  feed: Feed;
  client: Client;
  refused: number;
}

function bench(next: () => string | undefined = () => stub.mint().token): Bench {
  const feed = new Feed(next);
  const key = uuid();
  const b: Bench = { feed, refused: 0, client: undefined as unknown as Client };
  b.client = new Client({
    api: `${stub.host}/v1/modules/scaibot`,
    tokens: new Tokens(feed, () => performance.now()),
    key: () => key,
    taken: () => undefined,
    tokenRefused: () => b.refused++,
  });
  return b;
}

const request = (message: string) => ({
  request: { bot_id: 'bot_demo', conversation_id: null, message, client_message_id: uuid() },
});

interface Ran {
  text: string;
  /** Texts that were shown on the way. */
  shown: string[];
  cuts: number;
}

async function run(b: Bench, message: string): Promise<Ran> {
  const ran: Ran = { text: '', shown: [], cuts: 0 };
  const turn = new Turn(
    b.client,
    hurry,
    { event: (_, answer) => ran.shown.push(answer.text), cut: (cut) => (ran.cuts += cut ? 1 : 0) },
    new AbortController().signal,
  );
  const answer = await turn.run(request(message));
  assert.equal(answer.done, true);
  ran.text = answer.text;
  return ran;
}

describe('a turn', () => {
  test('cut after every event it says the same', async () => {
    const whole = await run(bench(), 'how do I return it?');
    assert.ok(whole.text.length > 300);
    for (let cut = 1; cut < 30; cut++) {
      stub.control.cutAfter = cut;
      const before = stub.chats().length;
      const ran = await run(bench(), 'how do I return it?');
      assert.equal(ran.text, whole.text, `cut after ${cut} events`);
      assert.equal(ran.cuts, 1);
      assert.equal(stub.chats().length, before + 1, 'sent once, resumed otherwise');
      for (const text of ran.shown) assert.ok(whole.text.startsWith(text), 'what was shown was never wrong');
    }
  });

  test('a token that is over is renewed once and the message sent again, exactly once', async () => {
    for (const how of ['expired', 'revoked'] as const) {
      const b = bench();
      stub.spoil(how);
      const before = stub.chats().length;
      await run(b, 'hello');
      const [first, second, ...more] = stub.chats().slice(before);
      assert.equal(more.length, 0);
      assert.equal(first?.body?.client_message_id, second?.body?.client_message_id);
      assert.equal(b.feed.refreshes, 1);
      assert.equal(b.refused, 0);
    }
  });

  test('a fresh token that is refused too ends it', async () => {
    const b = bench(() => `not.ours.${Math.random()}`);
    const before = stub.chats().length;
    await assert.rejects(run(b, 'hello'), (error) => error instanceof ApiError && error.code === 'AUTH_TOKEN_INVALID');
    assert.equal(stub.chats().length, before + 2);
    assert.equal(b.refused, 1);
  });

  test('no token any more', async () => {
    const b = bench();
    b.feed.ended = true;
    await assert.rejects(run(b, 'hello'), TokenEnded);
  });

  test('what the host refuses for good is not tried again', async () => {
    stub.control.refuse = [{ status: 429, code: 'RATE_LIMITED', extra: { retry_after: 7 } }];
    const before = stub.chats().length;
    await assert.rejects(
      run(bench(), 'hello'),
      (error) => error instanceof ApiError && error.code === 'RATE_LIMITED' && error.retryAfter === 7,
    );
    assert.equal(stub.chats().length, before + 1);
  });

  test('a host that is broken is tried a few times', async () => {
    stub.control.refuse = [
      { status: 503, code: 'STORAGE_ERROR' },
      { status: 500, code: 'INTERNAL' },
    ];
    const ran = await run(bench(), 'hello');
    assert.match(ran.text, /You said: hello/);
    stub.control.refuse = Array.from({ length: 20 }, () => ({ status: 503, code: 'STORAGE_ERROR' }));
    await assert.rejects(run(bench(), 'hello'), (error) => error instanceof ApiError && error.code === 'STORAGE_ERROR');
    stub.control.refuse = [];
  });

  test('a dead host is waited for', async () => {
    stub.control.dead = true;
    setTimeout(() => (stub.control.dead = false), 150);
    assert.match((await run(bench(), 'hello')).text, /You said/);
  });

  test('a withdrawn answer is replaced', async () => {
    assert.equal((await run(bench(), 'withdraw this return')).text, 'I cannot say.');
  });
});
