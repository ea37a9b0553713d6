/** The tutorial, sentence by sentence, on a page of another site. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';

import { Installation, type Conversation } from './installation.ts';
import { broken, Site } from './site.ts';
import { visit, type Visit } from './visit.ts';

let scaigrid: Installation;
let site: Site;
let bot: string;

before(async () => {
  scaigrid = await Installation.start();
  bot = await scaigrid.knowing({ welcome_message: 'Welcome!', suggested_questions: ['How long can I return goods?'] });
  site = await Site.start(scaigrid, bot);
});
after(() => {
  site.stop();
  scaigrid.stop();
});

interface Api {
  destroy: () => void;
  init: (o: Record<string, string>) => unknown;
}
const api = (v: Visit, run: (s: Api) => void): Promise<void> => v.page.evaluate(`(${run.toString()})(window.ScaiBot)`);

/** A site of its own, for tests that change the token endpoint. */
async function own(id: string, run: (s: Site) => Promise<void>, mint: Record<string, unknown> = {}): Promise<void> {
  const s = await Site.start(scaigrid, id, { mint });
  try {
    await run(s);
  } finally {
    s.stop();
  }
}

const questions = (c: Conversation[]): string[] =>
  c.flatMap((one) => (one.messages ?? []).filter((m) => m.role === 'user').map((m) => m.content));

visit('a cited answer on a page of another site', async (v) => {
  await v.page.goto(site.page(bot));
  await v.launcher.waitFor();
  assert.ok(!v.requests.some((r) => r.includes('/scaibot/chat')), 'nothing goes to /chat before a click');
  await v.open();
  await v.part('welcome').getByText('Welcome!').waitFor();
  await v.part('suggestion').first().click();
  await v.hears('within 30 days');
  await v.part('citation').first().waitFor();
  await v.clean('localhost', '127.0.0.1');
});

visit('tokens are fetched on load and 60 s before the end', async (v) => {
  await own(bot, async (s) => {
    await v.page.clock.install();
    await v.page.goto(s.page(bot));
    await v.launcher.waitFor();
    await v.open();
    assert.equal(s.minted, 1);
    await v.page.clock.runFor('58:30'); // a jump would look like a machine that slept
    assert.equal(s.minted, 1);
    const again = v.page.waitForResponse(/chat-token/);
    await v.page.clock.runFor('00:31');
    await again;
    assert.equal(s.minted, 2);
  });
});

visit('a token that was taken back is replaced, and the message sent once', async (v) => {
  const id = await scaigrid.bot();
  await own(id, async (s) => {
    await v.page.goto(s.page(id));
    await v.open();
    await v.says('First', 'You said: First');
    await scaigrid.call('POST', `/bots/${id}/embed-tokens/revoke`, { all: true });
    await new Promise((go) => setTimeout(go, 1100)); // a token is as old as its second
    await v.says('Second', 'You said: Second');
    assert.deepEqual(questions(await scaigrid.conversations(id)), ['First', 'Second']);
  });
});

visit('an expired token is replaced, and the message sent once', async (v) => {
  const id = await scaigrid.bot();
  await own(id, async (s) => {
    await v.page.goto(s.page(id));
    await v.open();
    let refused = 0;
    await v.page.route('**/scaibot/chat', async (route) => {
      if (route.request().method() !== 'POST' || refused++) return route.continue();
      return route.fulfill({
        status: 403,
        headers: { 'access-control-allow-origin': '*', 'content-type': 'application/json' },
        body: JSON.stringify({
          status: 'error',
          error: { code: 'EMBED_TOKEN_EXPIRED', message: 'x', details: null, retry_after: null },
          meta: { request_id: 'r' },
        }),
      });
    });
    await v.says('Hello', 'You said: Hello');
    assert.equal(refused, 2);
    assert.deepEqual(questions(await scaigrid.conversations(id)), ['Hello']);
  });
});

visit('the token endpoint is down and comes back', async (v) => {
  const id = await scaigrid.bot();
  await own(id, async (s) => {
    const works = s.token;
    s.token = broken.error;
    await v.page.goto(s.page(id));
    await v.open();
    await v.type('Keep this');
    await v.page.waitForTimeout(600);
    assert.ok(v.said('token-status').length === 1, v.console.join('\n'));
    s.token = works;
    await v.hears('You said: Keep this');
    assert.deepEqual(questions(await scaigrid.conversations(id)), ['Keep this']);
  });
});

for (const [name, answer, code] of [
  ['is down', broken.down, 'token-unreachable'],
  ['answers a sign-in page', broken.html, 'token-html'],
] as const) {
  visit(`a token endpoint that ${name} is explained once`, async (v) => {
    await own(bot, async (s) => {
      s.token = answer;
      await v.page.goto(s.page(bot));
      await v.open();
      await v.page.waitForTimeout(2500);
      assert.equal(v.said(code).length, 1, v.console.join('\n'));
    });
  });
}

visit('204 means no chat for this visitor', async (v) => {
  await own(bot, async (s) => {
    s.token = broken.nobody;
    await v.page.goto(s.page(bot));
    await v.launcher.waitFor({ state: 'hidden' });
    await v.page.waitForTimeout(300);
    assert.equal(await v.launcher.isVisible(), false);
    assert.deepEqual(v.console, []);
  });
});

visit('a static token that runs out ends the session', async (v) => {
  const { token } = await scaigrid.mint(bot, { ttl_seconds: 60 });
  await v.page.clock.install();
  await v.page.goto(site.page(bot, { attributes: { token } }));
  await v.open();
  await v.page.evaluate('window.ended = 0; window.ScaiBot.on("tokenExpired", () => { window.ended++; })');
  await v.page.clock.fastForward('01:40');
  await v.part('notice').waitFor();
  await v.page.waitForFunction('window.ended === 1');
  assert.equal(v.said('token-expired').length, 1);
});

visit('who it is: the token proves, the page claims', async (v) => {
  const id = await scaigrid.bot();
  await own(
    id,
    async (s) => {
      await v.page.goto(
        s.page(id, {
          attributes: { 'user-id': 'usr_42', 'user-email': 'claimed@example.com', 'user-name': 'Claimed' },
        }),
      );
      await v.open();
      await v.says('Hi', 'You said: Hi');
      const [c] = await scaigrid.conversations(id);
      assert.deepEqual(
        { ...c?.visitor, ref: undefined },
        { id: '42', email: 'alice@example.com', name: 'Alice', verified: true, ref: undefined },
      );
      assert.deepEqual(c?.claimed, { id: 'usr_42', email: 'claimed@example.com', name: 'Claimed' });
      assert.deepEqual(c?.metadata, { plan: 'pro' });
    },
    { visitor_id: 42, visitor_email: 'alice@example.com', visitor_name: 'Alice', metadata: { plan: 'pro' } },
  );
});

visit('data-user-id with an anonymous token is explained', async (v) => {
  await v.page.goto(site.page(bot, { attributes: { 'user-id': 'usr_42' } }));
  await v.open();
  await v.page.waitForTimeout(500);
  assert.equal(v.said('user-not-verified').length, 1, v.console.join('\n'));
});

for (const [position, x, y] of [
  ['bottom-right', 1, 1],
  ['bottom-left', 0, 1],
  ['top-right', 1, 0],
  ['top-left', 0, 0],
] as const) {
  visit(`data-position ${position}`, async (v) => {
    await v.page.goto(site.page(bot, { attributes: { position } }));
    const box = await v.launcher.boundingBox();
    assert.ok(box);
    assert.deepEqual([Number(box.x > 640), Number(box.y > 430)], [x, y]);
    assert.ok(box.width >= 44 && box.height >= 44);
  });
}

visit('attributes: colour, icon, open on load, locale, z-index', async (v) => {
  await v.page.goto(
    site.page(bot, {
      attributes: {
        'primary-color': '#b91c1c',
        'launcher-icon': 'speech-bubble',
        'open-on-load': 'true',
        locale: 'de',
        'z-index': '10',
      },
    }),
  );
  await v.input.waitFor();
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).zIndex), '10');
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).backgroundColor), 'rgb(185, 28, 28)');
  assert.match((await v.part('send').getAttribute('aria-label')) ?? '', /send|absenden/i);
  assert.equal(await v.part('panel').evaluate((e) => e.closest('[lang]')?.getAttribute('lang')), 'de');
});

visit('the default z-index is 9999', async (v) => {
  await v.page.goto(site.page(bot));
  assert.equal(await v.launcher.evaluate((e) => getComputedStyle(e).zIndex), '9999');
});

visit('variables on :root, and the page’s own rule for the launcher', async (v) => {
  await v.page.goto(
    site.page(bot, {
      head: '<style>:root { --scaibot-primary: #0f766e; --scaibot-bg: #fef9c3; --scaibot-text: #1a1a1a; --scaibot-font: "Courier New", monospace; --scaibot-border-radius: 3px } .scaibot-launcher { box-shadow: 0 10px 24px rgba(0,0,0,.18) } * { all: unset }</style>',
    }),
  );
  await v.open();
  const panel = await v.part('panel').evaluate((e) => {
    const s = getComputedStyle(e);
    return { background: s.backgroundColor, font: s.fontFamily, radius: s.borderTopLeftRadius, text: s.color };
  });
  assert.equal(panel.background, 'rgb(254, 249, 195)');
  assert.match(panel.font, /Courier New/);
  assert.equal(panel.radius, '3px');
  assert.equal(panel.text, 'rgb(26, 26, 26)');
  assert.equal(
    await v.launcher.evaluate((e) => getComputedStyle(e).boxShadow),
    'rgba(0, 0, 0, 0.18) 0px 10px 24px 0px',
  );
});

visit('inline in a container', async (v) => {
  await v.page.goto(
    site.page(bot, {
      attributes: { mount: '#my-chat', mode: 'inline' },
      body: '<div id="my-chat" style="height: 600px;"></div>',
    }),
  );
  await v.input.waitFor();
  const [outer, inner] = [await v.page.locator('#my-chat').boundingBox(), await v.part('panel').boundingBox()];
  assert.ok(outer && inner);
  assert.ok(
    Math.abs(inner.height - 600) < 2 && Math.abs(inner.width - outer.width) < 2,
    JSON.stringify([outer, inner]),
  );
  assert.equal(await v.launcher.count(), 0);
  await v.says('How long can I return goods?', 'within 30 days');
});

visit('destroy and init again, 50 times, with nothing left', async (v) => {
  const { token } = await scaigrid.mint(bot);
  await v.page.goto(site.page(bot));
  await v.launcher.waitFor();
  const devtools = await v.context.newCDPSession(v.page);
  const counted = async (): Promise<{ nodes: number; listeners: number }> => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
    return { nodes, listeners: jsEventListeners };
  };
  const round = (n: number): Promise<void> =>
    v.page.evaluate(
      async ([n, token, botId]) => {
        const scai = (window as unknown as { ScaiBot: Api & { open: () => void } }).ScaiBot;
        for (let i = 0; i < n; i++) {
          scai.init({ token, botId });
          scai.open();
          await new Promise((go) => setTimeout(go, 20));
          scai.destroy();
        }
        await new Promise((go) => setTimeout(go, 100));
      },
      [n, token, bot] as const,
    );
  await round(3);
  const first = await counted();
  await round(50);
  const last = await counted();
  assert.ok(last.nodes <= first.nodes + 5, JSON.stringify({ first, last }));
  assert.ok(last.listeners <= first.listeners, JSON.stringify({ first, last }));
  assert.equal(await v.launcher.count(), 0);
  await api(v, (s) => void s.destroy());
});

visit('a route change keeps the widget; init with a new token brings it back', async (v) => {
  const { token } = await scaigrid.mint(bot, { visitor_id: 'spa' });
  await v.page.goto(site.page(bot));
  await v.open();
  await v.page.evaluate("history.pushState({}, '', '/elsewhere')");
  assert.equal(await v.part('panel').isVisible(), true);
  await api(v, (s) => void s.destroy());
  assert.equal(await v.page.locator('.scaibot-launcher, .scaibot-panel').count(), 0);
  await v.page.evaluate(([token, botId]) => (window as unknown as { ScaiBot: Api }).ScaiBot.init({ token, botId }), [
    token,
    bot,
  ] as const);
  await v.open();
  await v.says('How long can I return goods?', 'within 30 days');
});

visit('a reload restores the conversation', async (v) => {
  await v.page.goto(site.page(bot));
  await v.open();
  await v.says('How long can I return goods?', 'within 30 days');
  await v.page.reload();
  if (!(await v.input.isVisible())) await v.open();
  await v.hears('within 30 days');
  assert.equal(await v.part('bubble-user').count(), 1);
});

visit('a reload in the middle of an answer joins it', async (v) => {
  const id = await scaigrid.bot({ model: 'openai/words:40@60' });
  await own(id, async (s) => {
    await v.page.goto(s.page(id));
    await v.open();
    await v.type('Count');
    await v.hears('w3');
    await v.page.reload();
    if (!(await v.input.isVisible())) await v.open();
    await v.hears(/w0 w1 w2 .*w39/);
    const [c] = await scaigrid.conversations(id);
    assert.equal(c?.messages?.length, 2);
  });
});

visit('stop keeps what was said', async (v) => {
  const id = await scaigrid.bot({ model: 'openai/words:400@40' });
  await own(id, async (s) => {
    await v.page.goto(s.page(id));
    await v.open();
    await v.type('Count');
    await v.hears('w3');
    await v.part('send').click();
    await v.page.waitForFunction(() => true);
    for (let i = 0; i < 100; i++) {
      const [c] = await scaigrid.conversations(id);
      const reply = c?.messages?.at(-1);
      if (reply?.status === 'stopped') {
        assert.match(reply.content, /^w0 w1 w2 w3/);
        return;
      }
      await v.page.waitForTimeout(50);
    }
    assert.fail('the answer was not stopped');
  });
});

visit('two tabs show the same conversation, live', async (v) => {
  const id = await scaigrid.bot();
  await own(id, async (s) => {
    const url = s.page(id);
    await v.page.goto(url);
    await v.open();
    await v.says('From the first tab', 'You said: From the first tab');
    const second = await v.context.newPage();
    v.watch(second);
    await second.goto(url);
    if (!(await v.part('input', second).isVisible())) await v.open(second);
    await v.hears('You said: From the first tab', second);
    await v.says('Once more', 'You said: Once more');
    await v.hears('You said: Once more', second);
  });
});

visit('a blocked connect-src is one clear error', async (v) => {
  await v.page.goto(
    site.page(bot, {
      headers: { 'content-security-policy': `script-src 'self' ${scaigrid.url}; connect-src 'self'; style-src 'self'` },
    }),
  );
  await v.open().catch(() => undefined);
  await v.page.waitForTimeout(1000);
  const said = v.said('policy-blocked');
  assert.equal(said.length, 1, v.console.join('\n'));
  assert.match(said[0] ?? '', /connect-src/);
});

visit('a draft removes itself and says why', async (v) => {
  const id = await scaigrid.bot({ status: 'draft' });
  await v.page.goto(site.page(id));
  await v.launcher.waitFor({ state: 'detached' });
  await v.page.waitForTimeout(300);
  assert.equal(v.said('bot-not-active').length, 1, v.console.join('\n'));
});

visit('a slug instead of the id is explained', async (v) => {
  await v.page.goto(site.page('helper-1'));
  await v.page.waitForTimeout(800);
  assert.equal(v.said('bot-id').length, 1, v.console.join('\n'));
});

visit('an origin that is not allowed is refused, readably', async (v) => {
  const id = await scaigrid.bot({ allowed_origins: ['https://shop.example'] });
  await own(id, async (s) => {
    await v.page.goto(s.page(id));
    await v.open();
    await v.type('Hi');
    await v.page.waitForTimeout(800);
    assert.equal(v.said('origin-refused').length, 1, v.console.join('\n'));
    assert.deepEqual(await scaigrid.conversations(id), []);
  });
});

visit('by keyboard alone', async (v) => {
  await v.page.goto(site.page(bot));
  await v.launcher.waitFor();
  await v.page.keyboard.press('Tab');
  await v.page.keyboard.press('Enter');
  await v.input.waitFor();
  await v.page.keyboard.type('How long can I return goods?');
  await v.page.keyboard.press('Enter');
  await v.hears('within 30 days');
  await v.page.keyboard.press('Escape');
  await v.part('panel').waitFor({ state: 'hidden' });
  assert.equal(await v.page.evaluate(() => document.activeElement?.className), 'scaibot-launcher');
});

const axe = createRequire(import.meta.url).resolve('axe-core');
for (const colorScheme of ['light', 'dark'] as const) {
  visit(
    `axe finds nothing, ${colorScheme}`,
    async (v) => {
      await v.page.goto(site.page(bot));
      await v.open();
      await v.says('How long can I return goods?', 'within 30 days');
      await v.page.addScriptTag({ path: axe });
      const found = await v.page.evaluate(
        'axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", ")))',
      );
      assert.deepEqual(found, []);
    },
    { colorScheme },
  );
}

visit(
  'a sheet over the whole phone',
  async (v) => {
    await v.page.goto(site.page(bot));
    await v.open();
    const box = await v.part('panel').boundingBox();
    assert.deepEqual(box, { x: 0, y: 0, width: 390, height: 844 });
    assert.ok((await v.page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  },
  { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
);

visit('50 browsers with one static token have 50 conversations', async (v) => {
  const id = await scaigrid.bot();
  const { token } = await scaigrid.mint(id);
  await v.page.goto(site.page(bot, { bare: true }));
  for (let i = 0; i < 50; i++) {
    const key = Buffer.alloc(32, i + 1).toString('base64url');
    const said = await fetch(`${scaigrid.local}/v1/modules/scaibot/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-scaibot-visitor': key },
      body: JSON.stringify({ message: `I am ${i}`, stream: false }),
    });
    assert.equal(said.status, 200);
    const seen = await fetch(`${scaigrid.local}/v1/modules/scaibot/chat/conversations`, {
      headers: { authorization: `Bearer ${token}`, 'x-scaibot-visitor': key },
    });
    assert.equal(((await seen.json()) as { data: unknown[] }).data.length, 1);
  }
  assert.equal((await scaigrid.conversations(id)).length, 50);
});
