/** The tutorial, section by section, with the code that stands in it. */
import assert from 'node:assert/strict';

import { until } from './installation.ts';
import { answerWith } from './site.ts';
import { sample, tag } from './tutorial.ts';
import { visit } from './visit.ts';
import { own, world } from './world.ts';

visit('§1 a token in the page, minted by the server', async (v) => {
  const { scaigrid, id, site } = await own();
  const { token, expires_at } = await scaigrid.mint(id, {
    ttl_seconds: 3600,
    visitor_id: null,
    visitor_email: null,
    metadata: null,
  });
  assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 3600_000) < 10_000, expires_at);
  assert.match(expires_at, /Z$/);
  await v.page.goto(site.page(id, { attributes: { token } }));
  await v.open();
  await v.says('Hello');
  assert.equal(site.asked.length, 0);
  const stolen = await fetch(`${scaigrid.local}/v1/modules/scaibot/bots`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.ok(stolen.status === 401 || stolen.status === 403, `a token lists bots: ${stolen.status}`);
});

visit('§2 the tag with a token address; a whole chat', async (v) => {
  const { scaigrid, bot, site } = await world();
  const before = site.asked.length;
  await v.page.goto(
    site.page(bot, {
      tag: tag('data-bot-id="bot_abc123"', scaigrid.url, bot),
      headers: { 'set-cookie': 'sid=s3cret' },
    }),
  );
  await v.launcher.waitFor();
  await v.page.waitForFunction(() => document.readyState === 'complete');
  assert.deepEqual(v.chatCalls, [], 'nothing goes to /chat before a click');
  assert.equal(await v.page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  await v.open();
  await v.part('welcome').getByText('Welcome!').waitFor();
  await v.shot('open');
  await v.part('suggestion').first().click();
  await v.hears('within 30 days');
  await v.part('citation').first().click();
  await v.part('sources').getByText('Returns').first().waitFor();
  await v.shot('answer');
  const asked = site.asked.slice(before);
  assert.equal(asked.length, 1);
  assert.match(asked[0]?.cookie ?? '', /sid=s3cret/, 'the page’s cookies come along');
  const added = Object.keys(asked[0] ?? {}).filter(
    (h) => h === 'authorization' || h === 'content-type' || h.startsWith('x-'),
  );
  assert.deepEqual(added, [], 'no added headers');
});

visit('§3 the tag with data-user-*: claimed, while the token says who it is', async (v) => {
  const { scaigrid, id, site } = await own(
    {},
    { visitor_id: 42, visitor_email: 'real@example.com', visitor_name: 'Real', metadata: { plan: 'pro' } },
  );
  await v.page.goto(site.page(id, { tag: tag('data-user-id', scaigrid.url, id) }));
  await v.open();
  await v.says('Hi');
  const [c] = await scaigrid.conversations(id);
  assert.deepEqual(
    { ...c?.visitor, ref: 0 },
    { id: '42', email: 'real@example.com', name: 'Real', verified: true, ref: 0 },
  );
  assert.deepEqual(c?.claimed, { id: 'usr_42', email: 'alice@example.com', name: 'Alice' });
  assert.deepEqual(c?.metadata, { plan: 'pro' });
  assert.equal(c?.page?.title, 'A page');
  assert.ok(c?.page?.url.startsWith(site.url), c?.page?.url);
});

visit('§3 data-user-* alone attributes nothing, and the console says what to do', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.goto(site.page(id, { tag: tag('data-user-id', scaigrid.url, id) }));
  await v.open();
  await v.says('Hi');
  assert.match(await v.tells('user-not-verified'), /visitor_id/);
  assert.equal(v.said('user-not-verified').length, 1);
  const [c] = await scaigrid.conversations(id);
  assert.deepEqual([c?.visitor.id, c?.visitor.verified, c?.claimed?.id], [null, false, 'usr_42']);
});

visit('§4 the tag with built-in attributes', async (v) => {
  const { scaigrid, bot, site } = await world();
  await v.page.goto(site.page(bot, { tag: tag('data-primary-color', scaigrid.url, bot) }));
  await v.launcher.waitFor();
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(79, 70, 229)');
  assert.equal(await v.panel.count(), 0, 'not open on load');
});

visit('§4 the style sheet', async (v) => {
  const { scaigrid, bot, site } = await world();
  site.file(
    '/your-scaibot.css',
    'text/css',
    sample('css', '--scaibot-primary').replace('#4F46E5', '#0f766e').replace('#ffffff', '#fef9c3'),
  );
  await v.page.goto(
    site.page(bot, {
      head: sample('html', 'your-scaibot.css'),
      tag: tag('data-bot-id="bot_abc123"', scaigrid.url, bot),
    }),
  );
  await v.open();
  await v.type('How long can I return goods?');
  await v.hears('within 30 days');
  const panel = await v.panel.evaluate((e) => {
    const s = getComputedStyle(e);
    return [s.backgroundColor, s.color, s.fontFamily, s.borderTopLeftRadius];
  });
  assert.deepEqual(panel, ['rgb(254, 249, 195)', 'rgb(26, 26, 26)', 'Inter, sans-serif', '12px']);
  assert.equal(await v.part('send').evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(15, 118, 110)');
  assert.deepEqual(
    await v.launcher.evaluate((e) => [getComputedStyle(e).boxShadow, getComputedStyle(e).backgroundColor]),
    ['rgba(0, 0, 0, 0.18) 0px 10px 24px 0px', 'rgb(15, 118, 110)'],
  );
  await v.shot('styled');
});

visit('§5 the container and the tag inside a layout', async (v) => {
  const { scaigrid, bot, site } = await world();
  await v.page.goto(site.page(bot, { tag: tag('my-chat', scaigrid.url, bot) }));
  await v.input.waitFor();
  const [outer, inner] = [await v.page.locator('#my-chat').boundingBox(), await v.panel.boundingBox()];
  assert.ok(outer && inner);
  assert.equal(outer.height, 600);
  assert.ok(
    Math.abs(inner.height - 600) < 2 && Math.abs(inner.width - outer.width) < 2,
    JSON.stringify([outer, inner]),
  );
  assert.equal(await v.launcher.count(), 0);
  await v.says('How long can I return goods?', 'within 30 days');
  await v.shot('inline');
  const end = await v.part('composer').boundingBox();
  assert.ok(end && end.y + end.height <= outer.y + 600, 'the input stays inside the container');
});

visit('§7 a route change keeps it, logging out unmounts it, a new token brings it back', async (v) => {
  const { scaigrid, id, site } = await own({}, { visitor_id: 'alice' });
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('Alice was here');
  await v.page.evaluate(() => {
    history.pushState({}, '', '/elsewhere');
    document.querySelector('main')?.replaceChildren('Another view');
  });
  assert.equal(await v.panel.isVisible(), true);
  await v.says('Still Alice');

  await v.page.evaluate(sample('javascript', 'destroy()'));
  assert.equal(await v.page.locator('.scaibot-launcher, .scaibot-panel').count(), 0);

  const { token } = await scaigrid.mint(id, { visitor_id: 'bob' });
  const init = sample('javascript', 'init(').replace('bot_abc123', id);
  await v.page.evaluate(`{ const newToken = ${JSON.stringify(token)};\n${init} }`);
  await v.open();
  await v.says('Bob is here');
  assert.equal(await v.part('bubble-user').count(), 1, 'nothing of Alice is left');
  const kept = await v.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.doesNotMatch(kept, /Alice/);
  const who = (await scaigrid.conversations(id)).map((c) => [c.visitor.id, c.messages?.length]);
  assert.deepEqual(who.sort(), [
    ['alice', 4],
    ['bob', 2],
  ]);
});

visit('gotcha: 403 on /chat means that no fresh token is to be had', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.clock.install();
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('First');
  await v.page.clock.fastForward('00:11'); // two tokens are never asked for within ten seconds
  const works = site.token;
  site.token = (res) => answerWith(res, { error: 'closed' }, 503);
  await scaigrid.call('POST', `/bots/${id}/embed-tokens/revoke`, { all: true });
  const refused = v.page.waitForResponse((r) => r.url().endsWith('/scaibot/chat') && r.status() === 403);
  await v.type('Second');
  const body = (await (await refused).json()) as { error: { code: string } };
  assert.equal(body.error.code, 'EMBED_TOKEN_REVOKED');
  await v.notices(/reconnecting/i);
  assert.match(await v.tells('token-status'), /503 from .*\/chat-token/);
  await v.shot('reconnecting');
  await new Promise((go) => setTimeout(go, 1100)); // a token of the same second as the revocation is revoked with it
  site.token = works;
  await v.hears('You said: Second');
  assert.deepEqual(await scaigrid.questions(id), ['First', 'Second']);
});

visit(
  'gotcha: a policy that blocks connect-src is one clear error',
  async (v) => {
    const { scaigrid, bot, site } = await world();
    const csp = `script-src 'self' ${scaigrid.url}; connect-src 'self'; style-src 'self'`;
    await v.page.goto(site.page(bot, { headers: { 'content-security-policy': csp } }));
    await v.open();
    await v.type('Hello?');
    const line = await v.tells('policy-blocked');
    assert.ok(line.includes(`connect-src must allow ${scaigrid.url}`), line);
    await v.notices(/reconnecting/i);
    assert.equal(v.said('policy-blocked').length, 1);
    v.said('host-unreachable');
    await until('the browser’s report', () => site.reports.some((r) => r.includes('connect-src')));
  },
  { violates: true },
);

visit('gotcha: z-index 9999, and 10 where the page says so', async (v) => {
  const { bot, site } = await world();
  for (const [attributes, want] of [
    [{}, '9999'],
    [{ 'z-index': '10' }, '10'],
  ] as const) {
    await v.page.goto(site.page(bot, { attributes }));
    await v.open();
    const found = await v.page
      .locator('.scaibot-launcher, .scaibot-panel')
      .evaluateAll((all) => all.map((e) => getComputedStyle(e).zIndex));
    assert.deepEqual(found, [want, want]);
  }
});
