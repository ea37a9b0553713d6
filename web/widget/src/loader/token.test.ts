import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { lifeOf, payload, TokenLife, type TokenClock } from './token.ts';

/** A clock that moves when it is told to. */
class FakeClock implements TokenClock {
  mono = 0;
  /** How far the wall clock is ahead of the monotonic one. */
  skew = 1_700_000_000_000;
  luck = 1;
  #timers: { at: number; fn: () => void }[] = [];
  now = (): number => this.mono;
  wall = (): number => this.mono + this.skew;
  chance = (): number => this.luck;
  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.mono + ms, fn };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }
  get pending(): number {
    return this.#timers.length;
  }
  async advance(ms: number): Promise<void> {
    const end = this.mono + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.mono = Math.max(this.mono, next.at);
      next.fn();
    }
    this.mono = end;
    await settle();
  }
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
let serial = 0;
const jwt = (claims: object): string => `${b64({ alg: 'HS256' })}.${b64({ jti: ++serial, ...claims })}.sig`;

type Reply = () => Response | Promise<Response>;
const json = (body: object, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' }, ...init });

interface Bench {
  clock: FakeClock;
  life: TokenLife;
  /** Monotonic times of the fetches. */
  fetches: number[];
  reports: string[];
  /** What the endpoint answers. */
  answer: Reply;
}

const realFetch = globalThis.fetch;
afterEach(() => void (globalThis.fetch = realFetch));

function bench(options: { token?: string; url?: string } = { url: '/chat-token' }, answer?: Reply): Bench {
  const clock = new FakeClock();
  const b: Bench = {
    clock,
    fetches: [],
    reports: [],
    answer: answer ?? (() => json({ token: jwt({ sub: 's' }), ttl_seconds: 3600 })),
    life: undefined as unknown as TokenLife,
  };
  globalThis.fetch = (_url, init) => {
    b.fetches.push(clock.mono);
    const signal = init?.signal;
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      void Promise.resolve(b.answer()).then(resolve, reject);
    });
  };
  const { token, url } = options;
  b.life = new TokenLife(
    { token, url, credentials: 'same-origin', report: (code, where) => b.reports.push(`${code} ${where}`) },
    clock,
  );
  b.life.start();
  return b;
}

describe('the life of a token', () => {
  test('fetched on load, and again 60 seconds before the end', async () => {
    const b = bench();
    await b.clock.advance(3600_000 - 60_000 - 1);
    assert.equal(b.fetches.length, 1);
    await b.clock.advance(1);
    assert.deepEqual(b.fetches, [0, 3540_000]);
    assert.deepEqual(b.reports, []);
  });

  test('a life under 120 seconds is renewed at its half', async () => {
    const b = bench(undefined, () => json({ token: jwt({}), ttl_seconds: 90 }));
    await b.clock.advance(100_000);
    assert.deepEqual(b.fetches, [0, 45_000, 90_000]);
  });

  test('never twice within ten seconds', async () => {
    const b = bench(undefined, () => json({ token: jwt({}), ttl_seconds: 2 }));
    await b.clock.advance(35_000);
    assert.deepEqual(b.fetches, [0, 10_000, 20_000, 30_000]);
    b.life.refresh();
    b.life.refresh();
    await b.clock.advance(4_999);
    assert.equal(b.fetches.length, 4);
  });

  test('shown again after more than a minute hidden', async () => {
    const b = bench();
    await b.clock.advance(20_000);
    b.life.visible(false);
    await b.clock.advance(59_000);
    b.life.visible(true);
    await b.clock.advance(1);
    assert.equal(b.fetches.length, 1);
    b.life.visible(false);
    await b.clock.advance(61_000);
    b.life.visible(true);
    await b.clock.advance(1);
    assert.equal(b.fetches.length, 2);
  });

  test('a machine that slept is noticed when it wakes', async () => {
    const b = bench();
    await b.clock.advance(15_000);
    b.clock.skew += 7200_000; // the monotonic clock stood still meanwhile
    await b.clock.advance(30_000);
    assert.equal(b.fetches.length, 2);
  });

  test('a wrong clock of the visitor means nothing', async () => {
    const b = bench();
    await b.clock.advance(1000);
    b.clock.skew = -86_400_000;
    await b.clock.advance(3539_000);
    assert.deepEqual(b.fetches, [0, 3540_000]);
  });

  test('backs off from 1 to 60 seconds while the endpoint is down, and recovers', async () => {
    const b = bench(undefined, () => Promise.reject(new Error('down')));
    await b.clock.advance(200_000);
    const gaps = b.fetches.slice(1).map((at, i) => at - (b.fetches[i] ?? 0));
    assert.deepEqual(gaps.slice(0, 7), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
    assert.equal(b.life.failing, true);
    assert.ok(b.reports.every((line) => line === 'token-unreachable /chat-token'));
    b.answer = () => json({ token: jwt({}), ttl_seconds: 3600 });
    await b.clock.advance(60_000);
    assert.equal(b.life.failing, false);
    assert.ok(b.life.token);
  });

  test('jitter only shortens, never below a second', async () => {
    const b = bench(undefined, () => Promise.reject(new Error('down')));
    b.clock.luck = 0;
    await b.clock.advance(8000);
    assert.deepEqual(b.fetches, [0, 1000, 2000, 4000, 8000]);
  });

  test('an endpoint that never answers is given up after ten seconds', async () => {
    const b = bench(undefined, () => new Promise<Response>(() => undefined));
    await b.clock.advance(9_999);
    assert.deepEqual(b.reports, []);
    await b.clock.advance(1);
    assert.deepEqual(b.reports, ['token-unreachable /chat-token']);
  });

  const wrong: [string, Reply, string][] = [
    ['500', () => json({}, { status: 500 }), 'token-status 500 from /chat-token'],
    ['403', () => json({}, { status: 403 }), 'token-status 403 from /chat-token'],
    ['a page', () => new Response('<h1>Sign in</h1>', { headers: { 'content-type': 'text/html' } }), 'token-html '],
    ['no JSON', () => new Response('nope'), 'token-not-json /chat-token'],
    ['no token', () => json({ nothing: 1 }), 'token-not-json /chat-token'],
    ['null', () => new Response('null'), 'token-not-json /chat-token'],
    ['a number', () => new Response('7'), 'token-not-json /chat-token'],
  ];
  for (const [name, answer, expected] of wrong) {
    test(`an answer that is ${name} is said, and tried again`, async () => {
      const b = bench(undefined, answer);
      await b.clock.advance(1);
      assert.deepEqual(b.reports, [expected]);
      assert.equal(b.life.failing, true);
      await b.clock.advance(3000);
      assert.ok(b.fetches.length >= 2);
    });
  }

  test('a whole envelope is understood', async () => {
    const raw = jwt({ sub: 'x', anon: false });
    const b = bench(undefined, () => json({ status: 'ok', data: { token: raw, ttl_seconds: 600 } }));
    await b.clock.advance(1);
    assert.equal(b.life.token?.raw, raw);
    assert.equal(b.life.token?.sub, 'x');
    assert.equal(b.life.token?.anon, false);
    assert.equal(b.life.token?.life, 600_000);
  });

  test('204 means no chat for this visitor, until a refresh finds one', async () => {
    const b = bench(undefined, () => new Response(null, { status: 204 }));
    await b.clock.advance(100_000);
    assert.equal(b.fetches.length, 1);
    assert.equal(b.life.ended, true);
    assert.deepEqual(b.reports, []);
    b.answer = () => json({ token: jwt({}), ttl_seconds: 600 });
    b.life.refresh();
    await b.clock.advance(1);
    assert.equal(b.life.ended, false);
    assert.ok(b.life.token);
  });

  test('the same token again is no renewal', async () => {
    const raw = jwt({});
    const b = bench(undefined, () => json({ token: raw, ttl_seconds: 600 }));
    await b.clock.advance(540_000);
    assert.equal(b.fetches.length, 2);
    assert.deepEqual(b.reports, ['token-not-newer /chat-token']);
    await b.clock.advance(3000);
    assert.equal(b.fetches.length, 4, 'backs off from a second');
  });

  test('a static token ends', async () => {
    const b = bench({ token: jwt({ iat: 100, exp: 400 }) });
    let told = 0;
    b.life.listen(() => told++);
    await b.clock.advance(299_999);
    assert.equal(b.life.ended, false);
    await b.clock.advance(1);
    assert.equal(b.life.ended, true);
    assert.equal(told, 1);
    assert.deepEqual(b.reports, ['token-expired data-token']);
    assert.equal(b.fetches.length, 0);
  });

  test('given both, the token is used first', async () => {
    const raw = jwt({ iat: 100, exp: 3700 });
    const b = bench({ token: raw, url: '/chat-token' });
    assert.equal(b.life.token?.raw, raw);
    await b.clock.advance(3540_000);
    assert.deepEqual(b.fetches, [3540_000]);
  });

  test('neither is said', () => {
    assert.deepEqual(bench({}).reports, ['token-none data-token-url']);
  });

  test('stop leaves no timer and tells nobody', async () => {
    const b = bench();
    let told = 0;
    b.life.listen(() => told++);
    await b.clock.advance(1);
    b.life.stop();
    assert.equal(b.clock.pending, 0);
    await b.clock.advance(7200_000);
    assert.equal(b.fetches.length, 1);
    assert.equal(told, 1);
  });

  test('stop in the middle of a fetch', async () => {
    const b = bench(undefined, () => new Promise<Response>(() => undefined));
    await settle();
    b.life.stop();
    await settle();
    assert.equal(b.clock.pending, 0);
    assert.deepEqual(b.reports, []);
  });
});

describe('lifeOf', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const rows: [string, object, object, number][] = [
    ['ttl_seconds first', { ttl_seconds: 90, expires_at: '2026-01-01T01:00:00Z' }, { iat: 1, exp: 601 }, 90_000],
    ['then exp − iat', { expires_at: '2026-01-01T01:00:00Z' }, { iat: 1, exp: 601 }, 600_000],
    ['then expires_at', { expires_at: '2026-01-01T01:00:00Z' }, {}, 3600_000],
    ['expires_at in Unix seconds', { expires_at: now / 1000 + 60 }, {}, 60_000],
    ['expires_at in Unix seconds as text', { expires_at: String(now / 1000 + 60) }, {}, 60_000],
    ['nothing at all', {}, {}, 3600_000],
    ['nonsense', { ttl_seconds: -1, expires_at: 'soon' }, { iat: 'x', exp: {} }, 3600_000],
    ['already over by a clock that is wrong', { expires_at: '2025-01-01T00:00:00Z' }, {}, 3600_000],
  ];
  for (const [name, body, claims, expected] of rows) {
    test(name, () => assert.equal(lifeOf(body, claims as { iat?: number }, now), expected));
  }
});

describe('payload', () => {
  for (const raw of [
    '',
    'a',
    'a.b',
    'a.!!.c',
    `a.${Buffer.from('nope').toString('base64url')}.c`,
    `a.${Buffer.from('null').toString('base64url')}.c`,
  ]) {
    test(`of ${JSON.stringify(raw)} is empty`, () => assert.deepEqual(payload(raw), {}));
  }
});
