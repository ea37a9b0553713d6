/** A conversation against the world: reloads, tabs, cut links, a server that dies, a model that fails. */
import assert from 'node:assert/strict';

import { Installation, until, type Conversation } from './installation.ts';
import { Link } from './link.ts';
import { Site } from './site.ts';
import { visit } from './visit.ts';
import { own, world } from './world.ts';

/** The reply of the newest turn as the server has it, once it is no longer under way. */
async function settled(scaigrid: Installation, id: string): Promise<{ status: string; content: string }> {
  let reply: { status: string; content: string } | undefined;
  await until('the end of the turn', async () => {
    const [c] = (await scaigrid.conversations(id)) as [Conversation?];
    reply = c?.messages?.at(-1);
    return reply !== undefined && reply.status !== 'streaming';
  });
  return reply as { status: string; content: string };
}

visit('a reload restores the conversation; a rating is kept', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('Hello');
  await v.page.locator('[data-rate=up]').click();
  await until('the rating', async () => (await scaigrid.conversations(id))[0]?.messages?.[1]?.rating === 'up');
  await v.page.reload();
  await v.opened();
  await v.hears('You said: Hello');
  assert.equal(await v.part('bubble-user').count(), 1);
  assert.equal(await v.page.locator('[data-rate=up]').getAttribute('aria-pressed'), 'true');
  await v.says('Again');
  const all = await scaigrid.conversations(id);
  assert.deepEqual([all.length, all[0]?.messages?.length], [1, 4]);
});

visit('a reload in the middle of an answer joins it', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/words:60@40' });
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Count');
  await v.hears('w3');
  await v.page.reload();
  await v.opened();
  await v.hears(/w0 w1 w2 .*w59/);
  const [c] = await scaigrid.conversations(id);
  assert.equal(c?.messages?.length, 2);
});

visit('stop keeps what was said', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/words:400@40' });
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Count');
  await v.hears('w3');
  await v.shot('streaming');
  await v.page.getByRole('button', { name: 'Stop the answer' }).click();
  const reply = await settled(scaigrid, id);
  assert.equal(reply.status, 'stopped');
  assert.match(reply.content, /^w0 w1 w2 w3/);
  await v.page.getByText('Stopped').waitFor();
  await v.page.getByRole('button', { name: 'Send' }).waitFor();
});

visit('two tabs in step: what is asked, what is answered, what is begun afresh', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/ask' });
  const url = site.page(id);
  await v.page.goto(url);
  await v.open();
  await v.says('From the first tab');
  const second = await v.context.newPage();
  await second.goto(url);
  await v.opened(second);
  await v.hears('You said: From the first tab', second);
  await v.type('!words:30@40');
  await v.hears('w3', second);
  await v.hears(/w0 .*w29/, second);
  await v.says('From the second tab', 'You said: From the second tab', second);
  await v.hears('You said: From the second tab');
  assert.equal(await v.part('bubble-user').count(), 3);
  await second.getByRole('button', { name: 'New conversation' }).click();
  await until('the first tab is empty', async () => (await v.part('bubble-user').count()) === 0);
  await v.says('Afresh');
  const lengths = (await scaigrid.conversations(id)).map((c) => c.messages?.length);
  assert.deepEqual(lengths.sort(), [2, 6]);
});

visit('written without a network: kept, said, sent once when it is back', async (v) => {
  const { scaigrid, id, site } = await own();
  await v.page.goto(site.page(id));
  await v.open();
  await v.says('Before');
  await v.context.setOffline(true);
  await v.notices(/offline/i);
  await v.type('Written offline');
  await v.page.getByText('Will be sent when the connection is back').waitFor();
  await v.shot('offline');
  await v.context.setOffline(false);
  await v.hears('You said: Written offline');
  await v.part('notice').waitFor({ state: 'hidden' });
  assert.deepEqual(await scaigrid.questions(id), ['Before', 'Written offline']);
});

visit('a link that breaks again and again in the middle of an answer', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/words:80@40' });
  const link = await Link.to(scaigrid.local);
  try {
    await v.page.goto(site.page(id, { attributes: { host: link.url } }));
    await v.open();
    await v.type('Count');
    await v.hears('w5');
    link.cut();
    await v.hears('w15');
    link.cut(true);
    await v.notices(/reconnecting/i);
    link.mend();
    await v.hears(/w0 w1 .*w79/);
    await v.part('notice').waitFor({ state: 'hidden' });
    const shown = await v.part('bubble-bot').last().innerText();
    assert.equal([...shown.matchAll(/w\d+/g)].length, 80, 'each word once');
    assert.equal((await scaigrid.conversations(id))[0]?.messages?.length, 2);
    v.said('host-unreachable');
  } finally {
    link.stop();
  }
});

visit('a link that breaks before the message is known to have arrived: it is sent again and stored once', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/words:10@10' });
  const link = await Link.to(scaigrid.local);
  try {
    await v.page.goto(site.page(id, { attributes: { host: link.url } }));
    await v.open();
    await v.says('First', 'w9');
    let posts = 0;
    v.page.on('request', (r) => {
      if (r.method() !== 'POST' || !r.url().endsWith('/chat')) return;
      if (posts++ < 2) setTimeout(() => link.cut(), posts); // just after it has left
    });
    await v.type('Second');
    await until('both answers', async () => (await v.part('bubble-bot').filter({ hasText: 'w9' }).count()) === 2);
    assert.deepEqual(await scaigrid.questions(id), ['First', 'Second']);
    assert.equal(await v.part('bubble-user').count(), 2);
    v.said('host-unreachable');
  } finally {
    link.stop();
  }
});

visit('a server that dies in the middle of an answer: nothing of it is lost, and the chat goes on', async (v) => {
  const scaigrid = await Installation.start();
  const id = await scaigrid.bot({ model: 'openai/ask' });
  const site = await Site.start(scaigrid, id);
  try {
    await v.page.goto(site.page(id));
    await v.open();
    await v.says('Before');
    await v.type('!words:200@50');
    await v.hears('w9');
    await new Promise((go) => setTimeout(go, 1500)); // what was said a moment ago is on disk
    await scaigrid.kill();
    await v.notices(/reconnecting/i);
    await v.shot('server-gone');
    await v.type('Meanwhile'); // it cannot be sent while an answer is under way, and must not be lost
    assert.equal(await v.input.inputValue(), 'Meanwhile');
    await scaigrid.serve();
    await v.page.getByText('The answer could not be finished.').waitFor();
    await v.part('notice').waitFor({ state: 'hidden' });
    await v.shot('cut-off');
    const reply = await settled(scaigrid, id);
    assert.equal(reply.status, 'interrupted');
    assert.match(reply.content, /^w0 w1 w2 .*w9/);
    const shown = (await v.part('bubble-bot').last().innerText()).match(/w\d+/g) ?? [];
    assert.deepEqual(shown, reply.content.match(/w\d+/g), 'what is shown is what is kept');
    await v.input.press('Enter');
    await v.hears('You said: Meanwhile');
    assert.deepEqual(await scaigrid.questions(id), ['Before', '!words:200@50', 'Meanwhile']);
    v.said('host-unreachable');
  } finally {
    site.stop();
    await scaigrid.stop();
  }
});

visit('a model that breaks off: what it said stays, and trying again is the same message', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/fault:cut@4' });
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Count');
  await v.page.getByRole('button', { name: 'Try again' }).waitFor();
  await v.hears('w0 w1 w2 w3');
  await v.shot('model-broke');
  await scaigrid.call('PUT', `/bots/${id}`, {
    name: 'Mended',
    slug: id.toLowerCase().replace('_', '-'),
    model: 'openai/echo',
  });
  await scaigrid.call('PATCH', `/bots/${id}/status`, { status: 'active' });
  await v.page.getByRole('button', { name: 'Try again' }).click();
  await v.hears('You said: Count');
  assert.equal(await v.part('bubble-user').count(), 1);
  assert.deepEqual(await scaigrid.questions(id), ['Count']);
});

visit('a model that is never there: said once, in words for a visitor', async (v) => {
  const { scaigrid, id, site } = await own({ model: 'openai/fault:error-500' });
  await v.page.goto(site.page(id));
  await v.open();
  await v.type('Hello');
  await v.page.getByText('The answer could not be finished.').waitFor();
  assert.equal(await v.input.isDisabled(), false);
  const text = await v.panel.innerText();
  assert.doesNotMatch(text, /boom|500|BACKEND/, 'nothing of the provider is shown');
  assert.deepEqual(await scaigrid.questions(id), ['Hello']);
});

visit('a bot that does not know says so', async (v) => {
  const { bot, site } = await world();
  await v.page.goto(site.page(bot));
  await v.open();
  await v.api((s) => void s.on('message', (m) => ((window as unknown as { answered: boolean }).answered = m.answered)));
  await v.type('Who painted the ceiling of the Sistine Chapel?');
  await v.page.waitForFunction('window.answered === false');
  assert.equal(await v.part('citation').count(), 0);
  await v.shot('unknown');
});

visit('too many messages: told with the time, nothing lost', async (v) => {
  const scaigrid = await Installation.start({ env: { SCAIGRID_LIMITS: 'on', SCAIGRID_LIMIT_VISITOR_MINUTE: '2' } });
  const id = await scaigrid.bot();
  const site = await Site.start(scaigrid, id, { mint: { visitor_id: 'alice' } });
  try {
    await v.page.goto(site.page(id));
    await v.open();
    await v.says('One');
    await v.says('Two');
    await v.type('Three');
    await v.page.getByText(/Too many messages. Please wait \d+ seconds/).waitFor();
    await v.shot('limited');
    await v.part('bubble-user').getByText('Three').waitFor();
    await v.page.getByRole('button', { name: 'Try again' }).waitFor();
    assert.deepEqual(await scaigrid.questions(id), ['One', 'Two']);
  } finally {
    site.stop();
    await scaigrid.stop();
  }
});

visit('50 browsers with one static token have 50 conversations', async (v) => {
  const { scaigrid, id, site } = await own();
  const { token } = await scaigrid.mint(id);
  const said = async (i: number): Promise<number> => {
    const key = Buffer.alloc(32, i + 1).toString('base64url');
    const res = await scaigrid.chat('', token, { key, body: { message: `I am ${i}`, stream: false } });
    assert.equal(res.status, 200);
    const seen = (await (await scaigrid.chat('/conversations', token, { key })).json()) as { data: unknown[] };
    return seen.data.length;
  };
  const counts = await Promise.all(Array.from({ length: 48 }, (_, i) => said(i)));
  assert.deepEqual([...new Set(counts)], [1]);
  const url = site.page(id, { attributes: { token } });
  for (const name of ['a first browser', 'a second one']) {
    const context = await v.context.browser()?.newContext();
    assert.ok(context);
    const page = await context.newPage();
    await page.goto(url);
    await v.open(page);
    assert.equal(await v.part('bubble-user', page).count(), 0, 'nothing of the others');
    await v.says(name, undefined, page);
    await context.close();
  }
  assert.equal((await scaigrid.conversations(id)).length, 50);
});
