/** Tokens that really run out, in the middle of a chat. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expiring } from './expiring.ts';
import { until } from './installation.ts';
import { broken } from './site.ts';
import type { Visit } from './visit.ts';
import { world } from './world.ts';

const late = { timeout: 180_000 };

after(async () => {
  const { fresh, cut, fixed } = await expiring;
  for (const { v } of [fresh, cut, fixed]) await v.context.close();
});

/** Statuses of POST /chat, as they come. */
function statuses(v: Visit): number[] {
  const seen: number[] = [];
  v.page.on('response', (r) => {
    if (r.url().endsWith('/scaibot/chat') && r.request().method() === 'POST') seen.push(r.status());
  });
  return seen;
}

void test('a static token that ran out: "session ended", tokenExpired, and no more', late, async () => {
  const { v, id } = (await expiring).fixed;
  const { scaigrid } = await world();
  await until('the end', () => v.said('token-expired').length > 0, 120_000);
  await v.notices(/session has ended/i);
  await v.shot('ended');
  assert.equal(await v.page.evaluate('window.ended'), 1);
  assert.equal(await v.input.isDisabled(), true);
  await v.hears('You said: Before'); // what was said stays to be read
  const { token } = await scaigrid.mint(id);
  await v.api((s, { token, botId }) => void s.init({ token, botId }), { token, botId: id });
  await v.opened();
  await v.says('After');
  assert.deepEqual(await scaigrid.questions(id), ['Before', 'After']);
  v.end();
});

void test('an answer that began in time is not cut when its token is over', late, async () => {
  const stream = await (await expiring).spanning;
  assert.match(stream, /w59/, stream.slice(-1500));
  assert.match(stream, /event: finish/);
  assert.match(stream.trimEnd(), /data: \[DONE\]$/);
  assert.doesNotMatch(stream, /event: error/);
});

void test('403 EMBED_TOKEN_EXPIRED on /chat, which the page may read', late, async () => {
  const { over, token } = await expiring;
  const { scaigrid } = await world();
  await over;
  const res = await scaigrid.chat('', token.token, {
    body: { message: 'Hi' },
    headers: { origin: 'http://x.example' },
  });
  assert.equal(res.status, 403);
  assert.equal(res.headers.get('access-control-allow-origin'), '*');
  assert.equal(((await res.json()) as { error: { code: string } }).error.code, 'EMBED_TOKEN_EXPIRED');
});

void test('expired in the middle of a chat: a fresh token, the message once', late, async () => {
  const { over, fresh } = await expiring;
  await over;
  const { v, site, id } = fresh;
  const { scaigrid } = await world();
  const seen = statuses(v);
  await v.says('After');
  assert.deepEqual(seen, [403, 200]);
  assert.equal(site.asked.length, 2);
  assert.deepEqual(await scaigrid.questions(id), ['Before', 'After']);
  assert.equal(await v.part('bubble-user').count(), 2);
  v.end();
});

void test(
  'expired while the address is down: kept, said to be reconnecting, sent once when it is back',
  late,
  async () => {
    const { over, cut } = await expiring;
    await over;
    const { v, site, id } = cut;
    const { scaigrid } = await world();
    const works = site.token;
    site.token = broken.error;
    const seen = statuses(v);
    await v.type('After');
    await v.notices(/reconnecting/i);
    await until('two more tries', () => site.asked.length >= 3);
    assert.equal(v.said('token-status').length, 1, 'said once');
    assert.match(await v.part('bubble-user').last().innerText(), /After$/);
    assert.deepEqual(await scaigrid.questions(id), ['Before']);
    site.token = works;
    await v.hears('You said: After');
    await v.part('notice').waitFor({ state: 'hidden' });
    assert.deepEqual(seen, [403, 200]);
    assert.deepEqual(await scaigrid.questions(id), ['Before', 'After']);
    v.end();
  },
);
