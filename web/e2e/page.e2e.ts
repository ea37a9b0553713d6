/** The widget as a guest of the page: it leaves nothing behind, minds its own business, and says what is wrong. */
import assert from 'node:assert/strict';

import { Installation, until } from './installation.ts';
import { Site } from './site.ts';
import { visit } from './visit.ts';
import { own, world } from './world.ts';

visit('destroy and init again, 50 times, and nothing is left', async (v) => {
  const { scaigrid, bot, site } = await world();
  const { token } = await scaigrid.mint(bot);
  await v.page.goto(site.page(bot));
  await v.open();
  const devtools = await v.context.newCDPSession(v.page);
  await devtools.send('HeapProfiler.enable');
  const count = async (): Promise<{ nodes: number; listeners: number; heap: number }> => {
    for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners: listeners } = await devtools.send('Memory.getDOMCounters');
    const { usedSize: heap } = await devtools.send('Runtime.getHeapUsage');
    return { nodes, listeners, heap };
  };
  const rounds = (n: number): Promise<void> =>
    v.page.evaluate(
      async ([n, token, botId]) => {
        for (let i = 0; i < n; i++) {
          window.ScaiBot?.init({ token, botId });
          window.ScaiBot?.open();
          const opened = (): boolean => document.querySelector('.scaibot-panel')?.checkVisibility() === true;
          while (!opened()) await new Promise((go) => setTimeout(go, 2));
          window.ScaiBot?.destroy();
        }
        await new Promise((go) => setTimeout(go, 100));
      },
      [n, token, bot] as const,
    );
  await rounds(5);
  const first = await count();
  await rounds(50);
  const last = await count();
  const both = JSON.stringify({ first, last });
  assert.ok(last.nodes <= first.nodes + 2, both);
  assert.ok(last.listeners <= first.listeners, both);
  assert.ok(last.heap - first.heap < 50 * 4096, `less than 4 KiB each: ${both}`);
  const left = await v.page.evaluate(() => [
    document.querySelectorAll('.scaibot-launcher, .scaibot-panel').length,
    document.adoptedStyleSheets.length,
  ]);
  assert.deepEqual(left, [0, 0]);
});

visit('destroyed in the middle of an answer: its stream is closed, the answer is stored', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/words:40@40' });
  await v.page.goto(site.page(id));
  await v.open();
  const ended = v.page.waitForEvent('requestfailed', (r) => r.url().endsWith('/scaibot/chat'));
  await v.type('Count');
  await v.hears('w3');
  await v.api((s) => s.destroy());
  await ended;
  assert.equal(await v.page.locator('.scaibot-launcher, .scaibot-panel').count(), 0);
  await until('the whole answer', async () => {
    const reply = (await scaigrid.conversations(id))[0]?.messages?.[1];
    return reply?.status === 'complete' && reply.content.includes('w39');
  });
});

visit(
  'signed in, signed out: nothing of one visitor is shown to the next, a guest’s conversation comes along once',
  async (v) => {
    const { scaigrid, id, site } = await own();
    const login = async (visitor: string | undefined): Promise<void> => {
      const { token } = await scaigrid.mint(id, visitor ? { visitor_id: visitor } : {});
      await v.api((s, o) => void s.init(o), { token, botId: id });
      await v.opened();
    };
    await v.page.goto(site.page(id));
    await v.open();
    await v.says('As a guest');
    await login('alice');
    await v.hears('You said: As a guest');
    await v.says('As Alice');
    await login('bob');
    await v.says('As Bob');
    assert.equal(await v.part('bubble-user').count(), 1);
    await login('alice');
    await v.hears('You said: As Alice');
    await login(undefined);
    await v.says('As a guest again');
    assert.equal(await v.part('bubble-user').count(), 1);
    const who = (await scaigrid.conversations(id)).map((c) => [
      c.visitor.id,
      (c.messages ?? []).filter((m) => m.role === 'user').map((m) => m.content),
    ]);
    assert.deepEqual(who.map((w) => JSON.stringify(w)).sort(), [
      '["alice",["As a guest","As Alice"]]',
      '["bob",["As Bob"]]',
      '[null,["As a guest again"]]',
    ]);
  },
);

visit('an origin that the bot does not allow is refused, readably; an allowed one is not', async (v) => {
  const { scaigrid, id, site } = await own({ allowed_origins: ['https://shop.example'] });
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Hi');
  assert.ok((await v.tells('origin-refused')).includes(site.url));
  await v.notices(/not available on this page/);
  await v.shot('origin-refused');
  assert.equal(v.said('origin-refused').length, 1);
  assert.deepEqual(await scaigrid.conversations(id), []);

  const { id: friendly } = await own({ allowed_origins: [site.url] });
  site.token = site.minting(friendly);
  await v.page.goto(site.page(friendly));
  await v.opened();
  await v.says('Hi');
});

visit('an API key in a page is refused, readably', async (v) => {
  const { scaigrid, bot, site } = await world();
  await v.page.goto(site.page(bot));
  const answer = await v.page.evaluate(
    async ([url, key]) => {
      const res = await fetch(`${url}/v1/modules/scaibot/bots`, { headers: { Authorization: `Bearer ${key}` } });
      return { status: res.status, body: await res.text() };
    },
    [scaigrid.url, scaigrid.key] as const,
  );
  assert.equal(answer.status, 403);
  assert.match(answer.body, /KEY_IN_BROWSER/);
});

visit('a bot that does not exist, or is archived, takes the widget away and says so', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.goto(site.page(`bot_${'0'.repeat(26)}`));
  await v.launcher.waitFor({ state: 'detached' });
  assert.match(await v.tells('bot-not-found'), /data-bot-id/);
  await scaigrid.call('PATCH', `/bots/${id}/status`, { status: 'archived' });
  site.token = (res) => {
    res.statusCode = 204;
    res.end();
  };
  await v.page.goto(site.page(id));
  await v.launcher.waitFor({ state: 'detached' });
});

visit('a slug in place of the id is explained', async (v) => {
  const { bot, site } = await world();
  await v.page.goto(site.page(bot, { attributes: { 'bot-id': 'helper-1' } }));
  assert.match(await v.tells('bot-id'), /bot_/);
  assert.equal(await v.launcher.count(), 0);
});

visit('a second tag of the same bot is ignored, and said', async (v) => {
  const { scaigrid, bot, site } = await world();
  const tag = `<script src="${scaigrid.url}/static/modules/scaibot/widget.js" data-bot-id="${bot}" data-token-url="/chat-token" async></script>`;
  await v.page.goto(site.page(bot, { tag: tag + tag }));
  await v.tells('second-tag');
  assert.equal(await v.launcher.count(), 1);
});

visit('an element to mount into that comes later, goes and comes again', async (v) => {
  const { id, site } = await own();
  await v.page.clock.install();
  await v.page.goto(site.page(id, { attributes: { mount: '#my-chat', mode: 'inline' } }));
  await v.page.waitForFunction(() => window.ScaiBot !== undefined);
  await v.page.clock.runFor('00:11');
  assert.match(await v.tells('mount-missing'), /#my-chat/);
  await v.page.clock.resume();
  const put = (): Promise<void> =>
    v.page.evaluate(() => {
      document.getElementById('my-chat')?.remove();
      const box = document.createElement('div');
      box.id = 'my-chat';
      box.style.height = '600px';
      document.querySelector('main')?.append(box);
    });
  await put();
  await v.says('Hello');
  await put();
  await v.hears('You said: Hello');
});

visit('a host that does not answer is said, and tried again', async (v) => {
  const scaigrid = await Installation.start();
  const id = await scaigrid.bot();
  const site = await Site.start(scaigrid, id);
  try {
    await v.page.goto(site.page(id));
    await v.open();
    await v.says('Before');
    await scaigrid.kill();
    await v.type('Meanwhile');
    assert.match(await v.tells('host-unreachable'), /connect-src/);
    await v.notices(/reconnecting/i);
    await scaigrid.serve();
    await v.hears('You said: Meanwhile');
    assert.deepEqual(await scaigrid.questions(id), ['Before', 'Meanwhile']);
    assert.equal(v.said('host-unreachable').length, 1);
  } finally {
    site.stop();
    await scaigrid.stop();
  }
});

visit('a page that broke its own built-ins does not get the token', async (v) => {
  const { id, site } = await own();
  site.file(
    '/evil.js',
    'text/javascript',
    `window.seen = [];
     const push = (x) => { try { window.seen.push(typeof x === 'string' ? x : JSON.stringify(x)); } catch {} };
     const map = Map.prototype.set; Map.prototype.set = function (k, v) { push(k); return map.call(this, k, v); };
     const item = Storage.prototype.setItem; Storage.prototype.setItem = function (k, v) { push(v); return item.call(this, k, v); };`,
  );
  await v.page.goto(site.page(id, { head: '<script src="/evil.js"></script>' }));
  await v.open();
  await v.says('Hello');
  const token = await v.page.evaluate(
    async () => ((await (await fetch('/chat-token')).json()) as { token: string }).token,
  );
  const found = await v.page.evaluate(
    (start) =>
      JSON.stringify([
        (window as unknown as { seen: string[] }).seen,
        { ...localStorage },
        document.cookie,
        Object.keys(window.ScaiBot ?? {}),
      ]).includes(start),
    token.slice(0, 40), // header and issuer of every token
  );
  assert.equal(found, false);
});
