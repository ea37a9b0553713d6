import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Token } from '../seam.ts';
import { randomKey, uuid, Visitor, type History } from './visitor.ts';

class FakeStorage {
  readonly map = new Map<string, string>();
  broken = false;
  getItem(key: string): string | null {
    if (this.broken) throw new Error('denied');
    return this.map.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.broken) throw new Error('full');
    this.map.set(key, value);
  }
  removeItem(key: string): void {
    this.map.delete(key);
  }
}

let local: FakeStorage;
let session: FakeStorage;
let now = 0;

beforeEach(() => {
  local = new FakeStorage();
  session = new FakeStorage();
  now = 1_000_000;
  Object.assign(globalThis, { localStorage: local, sessionStorage: session });
});

const token = (sub: string, anon: boolean): Token => ({
  raw: `${sub}${anon}`,
  sub,
  anon,
  preview: false,
  life: 1,
  born: 0,
});
const anonymous = (n = 1): Token => token(`anon${n}`, true);
const verified = (who: string): Token => token(who, false);
const visitor = (history: History = 'local'): Visitor => new Visitor('bot_1', history, () => now);

describe('who a visitor is', () => {
  test('nothing is kept before the first message', () => {
    const v = visitor();
    v.meet(anonymous());
    v.draft = 'hello';
    v.keepInfo({});
    assert.equal(local.map.size, 0);
    assert.equal(v.key, undefined);
    assert.equal(v.known, false);
    v.begin();
    assert.equal(local.map.size, 1);
    assert.match(v.key ?? '', /^[\w-]{43}$/);
    assert.equal(v.known, true);
  });

  test('anonymous to anonymous is the same visitor', () => {
    const v = visitor();
    v.meet(anonymous(1));
    v.begin();
    const { key } = v;
    assert.equal(v.meet(anonymous(2)), 'same');
    assert.equal(v.key, key);
    const later = visitor();
    assert.equal(later.meet(anonymous(3)), 'same');
    assert.equal(later.key, key);
  });

  test('anonymous to verified is joined once, then the key is dead', () => {
    const v = visitor();
    v.meet(anonymous());
    v.begin();
    const { key } = v;
    assert.equal(v.meet(verified('a')), 'joined');
    assert.equal(v.key, key, 'it goes along once');
    v.taken(verified('a'));
    assert.equal(v.key, undefined);
    assert.ok(![...local.map.values()].some((text) => text.includes(key ?? '?')), 'and is not kept');
    assert.equal(visitor().meet(verified('a')), 'same');
  });

  test('a key is not dead before the host took it', () => {
    const v = visitor();
    v.meet(anonymous());
    v.begin();
    v.meet(verified('a'));
    v.taken(anonymous()); // an answer to a call made before
    assert.ok(v.key);
  });

  for (const [name, to] of [
    ['another verified one', verified('b')],
    ['an anonymous one', anonymous()],
  ] as const) {
    test(`verified to ${name}: all is dropped`, () => {
      const v = visitor();
      v.meet(verified('a'));
      v.begin();
      v.draft = 'secret';
      v.wait({ id: '1', text: 'secret', tab: 't' });
      assert.equal(v.meet(to), 'changed');
      assert.equal(local.map.size, 0);
      assert.equal(v.draft, '');
      assert.equal(v.outbox.length, 0);
      assert.equal(v.key, undefined);
    });

    test(`verified to ${name}, after a reload`, () => {
      const v = visitor();
      v.meet(verified('a'));
      v.begin();
      v.draft = 'secret';
      const later = visitor();
      assert.equal(later.meet(to), 'changed');
      assert.equal(later.draft, '');
      assert.equal(local.map.size, 0);
    });
  }

  test('a key unused for 30 days is dead', () => {
    const v = visitor();
    v.meet(anonymous());
    v.begin();
    now += 29 * 24 * 3600_000;
    const soon = visitor();
    soon.meet(anonymous());
    assert.ok(soon.key);
    now += 31 * 24 * 3600_000;
    const late = visitor();
    late.meet(anonymous());
    assert.equal(late.key, undefined);
  });

  test('two tabs that begin are one visitor', () => {
    const [a, b] = [visitor(), visitor()];
    a.meet(anonymous(1));
    b.meet(anonymous(2));
    a.begin();
    b.begin();
    assert.equal(a.key, b.key);
    assert.ok(b.is(a.mark ?? ''));
  });

  test('history: session keeps in this tab, none keeps nowhere', () => {
    const s = visitor('session');
    s.meet(anonymous());
    s.begin();
    assert.equal(local.map.size, 0);
    assert.equal(session.map.size, 1);
    const n = visitor('none');
    n.meet(anonymous());
    n.begin();
    assert.ok(n.key);
    assert.equal(local.map.size, 0);
    const known = visitor('none');
    known.meet(verified('a'));
    assert.equal(known.known, false, 'nothing is restored, for verified visitors too');
  });

  for (const junk of ['', 'null', '7', '{', '{"v":2}', '{"v":1}', '[]', '"x"']) {
    test(`what was kept is ${JSON.stringify(junk)}`, () => {
      local.map.set('scaibot:bot_1', junk);
      const v = visitor();
      assert.equal(v.meet(anonymous()), 'same');
      v.begin();
      assert.ok(v.key);
    });
  }

  test('a storage that is closed or full is no reason to fail', () => {
    local.broken = true;
    const v = visitor();
    v.meet(anonymous());
    v.begin();
    v.draft = 'x';
    v.wait({ id: '1', text: 'x', tab: 't' });
    assert.ok(v.key);
    assert.equal(v.outbox.length, 1);
  });

  test('the outbox is shared and each message is in it once', () => {
    const [a, b] = [visitor(), visitor()];
    a.meet(anonymous());
    b.meet(anonymous());
    a.begin();
    b.begin();
    a.wait({ id: '1', text: 'one', tab: 'a' });
    a.wait({ id: '1', text: 'one', tab: 'a' });
    b.wait({ id: '2', text: 'two', tab: 'b' });
    assert.deepEqual(
      a.outbox.map((m) => m.id),
      ['1', '2'],
    );
    b.sent('1');
    assert.deepEqual(
      a.outbox.map((m) => m.id),
      ['2'],
    );
  });
});

test('keys and ids are random and of the form asked for', () => {
  assert.match(uuid(), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(new Set(Array.from({ length: 100 }, uuid)).size, 100);
  assert.match(randomKey(), /^[\w-]{43}$/);
});
