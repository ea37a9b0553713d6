/** The life of tokens on a page: fetched, renewed, refused, missing. */
import assert from 'node:assert/strict';

import { until } from './installation.ts';
import { answerWith, broken, type Site, type TokenAnswer } from './site.ts';
import { visit } from './visit.ts';
import { own, world } from './world.ts';

const asked = (site: Site, n: number): Promise<void> => until(`token request ${n}`, () => site.asked.length >= n);

visit('a token is fetched on load, and again 60 s before its end', async (v) => {
  const { id, site } = await own();
  await v.page.clock.install();
  await v.page.goto(site.page(id));
  await v.open();
  assert.equal(site.asked.length, 1);
  await v.page.clock.runFor('58:30'); // a jump would look like a machine that slept
  assert.equal(site.asked.length, 1);
  await v.page.clock.runFor('00:31');
  await asked(site, 2);
  await v.says('Hello');
});

visit('a token of a minute is renewed at its half', async (v) => {
  const { id, site } = await own({}, { ttl_seconds: 60 });
  await v.page.clock.install();
  await v.page.goto(site.page(id));
  await v.open();
  await v.page.clock.runFor('00:28');
  assert.equal(site.asked.length, 1);
  await v.page.clock.runFor('00:03');
  await asked(site, 2);
});

visit('what the samples answer is understood in other dress too: an envelope, Unix seconds', async (v) => {
  const { scaigrid, id, site } = await own();
  const dresses: ((data: { token: string; expires_at: string }) => unknown)[] = [
    (data) => ({ status: 'ok', data, meta: {} }),
    ({ token, expires_at }) => ({ token, expires_at: Date.parse(expires_at) / 1000 }),
    ({ token }) => ({ token }),
  ];
  for (const dress of dresses) {
    site.token = async (res) => answerWith(res, dress(await scaigrid.mint(id)));
    await v.page.goto(site.page(id));
    await v.opened();
    await v.type('Hello');
    await until('it is stored', async () => (await scaigrid.questions(id)).length === dresses.indexOf(dress) + 1);
  }
});

visit('a token that was taken back is replaced, and the message sent once', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.clock.install();
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('First');
  await scaigrid.call('POST', `/bots/${id}/embed-tokens/revoke`, { all: true });
  await v.page.clock.fastForward('00:11'); // two tokens are never asked for within ten seconds
  await new Promise((go) => setTimeout(go, 1100)); // a token is as old as its second
  await v.says('Second');
  assert.equal(site.asked.length, 2);
  assert.deepEqual(await scaigrid.questions(id), ['First', 'Second']);
});

visit('an address that is down at first: what was typed is kept, and sent once when it is back', async (v) => {
  const { scaigrid, id, site } = await own();
  const works = site.token;
  site.token = broken.error;
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Keep this');
  await v.notices(/reconnecting/i);
  assert.match(await v.tells('token-status'), /500 from .*\/chat-token/);
  assert.match(await v.part('bubble-user').innerText(), /Keep this/);
  await v.shot('token-down');
  site.token = works;
  await v.hears('You said: Keep this');
  await v.part('notice').waitFor({ state: 'hidden' });
  assert.deepEqual(await scaigrid.questions(id), ['Keep this']);
  assert.equal(v.said('token-status').length, 1);
});

visit('an address that is slow: launcher and panel do not wait for it', async (v) => {
  const { scaigrid, id, site } = await own();
  const works = site.token;
  let go = (): void => undefined;
  const allowed = new Promise<void>((resolve) => (go = resolve));
  site.token = async (res) => {
    await allowed;
    await works(res);
  };
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Patience');
  await v.part('bubble-user').getByText('Patience').waitFor();
  await v.shot('token-slow');
  go();
  await v.hears('You said: Patience');
  assert.deepEqual(await scaigrid.questions(id), ['Patience']);
});

const wrong: Record<string, [TokenAnswer, string, RegExp]> = {
  'that is down': [broken.down, 'token-unreachable', /CORS|10 s/],
  'with an error': [broken.error, 'token-status', /500/],
  'with a sign-in page': [broken.html, 'token-html', /redirect|sign/i],
  'that leads to a sign-in page': [broken.signIn, 'token-html', /page-1/],
  'without JSON': [broken.text, 'token-not-json', /expires_at/],
  'with JSON but no token': [(res) => answerWith(res, { ok: true }), 'token-not-json', /expires_at/],
};
for (const [what, [answer, code, says]] of Object.entries(wrong)) {
  visit(`an address ${what} is explained once, and tried again`, async (v) => {
    const { id, site } = await own();
    site.token = answer;
    await v.page.clock.install();
    await v.page.goto(site.page(id));
    assert.match(await v.tells(code), says);
    for (let n = 2; n <= 3; n++) {
      await v.page.clock.fastForward('00:05');
      await asked(site, n);
    }
    assert.equal(v.said(code).length, 1, v.console.join('\n'));
  });
}

visit('204 means no chat for this visitor, quietly', async (v) => {
  const { id, site } = await own();
  site.token = broken.nobody;
  await v.page.goto(site.page(id));
  await v.launcher.waitFor({ state: 'hidden' });
  await asked(site, 1);
  await v.page.waitForLoadState('networkidle');
  assert.equal(await v.launcher.isVisible(), false);
  assert.deepEqual(v.console, []);
});

visit('given both, the token is used first', async (v) => {
  const { scaigrid, id, site } = await own();
  const { token } = await scaigrid.mint(id, { visitor_id: 'alice' });
  await v.page.goto(site.page(id, { attributes: { token, 'token-url': '/chat-token' } }));
  await v.open();
  await v.says('Hello');
  assert.equal(site.asked.length, 0);
  assert.equal((await scaigrid.conversations(id))[0]?.visitor.id, 'alice');
});

visit('neither token nor address is said', async (v) => {
  const { scaigrid, bot, site } = await world();
  const tag = `<script src="${scaigrid.url}/static/modules/scaibot/widget.js" data-bot-id="${bot}" async></script>`;
  await v.page.goto(site.page(bot, { tag }));
  assert.match(await v.tells('token-none'), /data-token-url/);
});

visit('a token of another bot is refused, and said', async (v) => {
  const { scaigrid, id, site } = await own();
  const { id: other } = await own();
  site.token = site.minting(other);
  await v.page.clock.install();
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Hello');
  await until('a refusal', () => v.console.some((line) => /^scaibot\[/.test(line)));
  assert.deepEqual(await scaigrid.questions(id), []);
  await v.tells('token-refused');
});

visit('a draft answers a preview token', async (v) => {
  const { scaigrid, id, site } = await own({ status: 'draft' }, { preview: true });
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('Hello');
  assert.deepEqual(await scaigrid.questions(id), ['Hello']);
  assert.deepEqual(await scaigrid.call('GET', `/conversations?bot_id=${id}`), [], 'apart from what visitors said');
});

visit('a draft without one removes itself and says what to do, however late its token comes', async (v) => {
  const { id, site } = await own({ status: 'draft' });
  const works = site.token;
  site.token = async (res) => {
    await until('the bot’s face', () => v.requests.some((r) => r.includes('embed-info')));
    await new Promise((go) => setTimeout(go, 200));
    await works(res);
  };
  await v.page.goto(site.page(id));
  await v.launcher.waitFor();
  await v.launcher.waitFor({ state: 'detached' });
  assert.match(await v.tells('bot-not-active'), /Activate/);
});
