/** `serve --demo`: every sample page, under every policy that it offers. */
import assert from 'node:assert/strict';
import { after } from 'node:test';

import { Installation, until, type Conversation } from './installation.ts';
import { visit, type Visit } from './visit.ts';

let made: Promise<Installation> | undefined;
const demo = (): Promise<Installation> => (made ??= Installation.start({ demo: true }));
after(async () => (await made?.catch(() => undefined))?.stop());

const question = 'Which content-security policy does the widget need?';

async function asks(v: Visit): Promise<void> {
  await v.type(question);
  await v.part('citation').first().waitFor();
  await v.hears('connect-src');
}

async function conversations(scaigrid: Installation): Promise<Conversation[]> {
  const bots = await scaigrid.call<{ id: string; slug: string }[]>('GET', '/bots');
  const bot = bots.find((b) => b.slug === 'scaigrid-docs');
  assert.ok(bot, 'the demo’s bot');
  return scaigrid.conversations(bot.id);
}

for (const page of ['', 'floating', 'styled']) {
  visit(`the sample page /${page}`, async (v) => {
    const { demoUrl } = await demo();
    await v.page.goto(`${demoUrl}/${page}`);
    await v.launcher.waitFor();
    await v.shot(`demo-${page || 'home'}`);
    await v.open();
    await asks(v);
    await v.shot(`demo-${page || 'home'}-answer`);
  });
}

visit('the sample page /inline', async (v) => {
  const { demoUrl } = await demo();
  await v.page.goto(`${demoUrl}/inline`);
  await v.input.waitFor();
  await asks(v);
  await v.shot('demo-inline');
});

visit('the sample app: routes, Alice, sign-out, guest', async (v) => {
  const scaigrid = await demo();
  await v.page.goto(`${scaigrid.demoUrl}/app`);
  await v.open();
  await v.page.getByRole('link', { name: 'Orders' }).click();
  await v.page.getByRole('heading', { name: 'Your orders' }).waitFor();
  assert.equal(await v.panel.isVisible(), true);
  await v.page.getByRole('button', { name: 'Sign in as Alice' }).click();
  await v.page.getByText('Signed in as Alice').waitFor();
  await v.opened();
  await asks(v);
  await v.shot('demo-app');
  await until('it is attributed', async () => (await conversations(scaigrid)).some((c) => c.visitor.id === 'usr_42'));
  await v.page.getByRole('button', { name: 'Sign out' }).click();
  await v.page.getByText('Signed out').waitFor();
  assert.equal(await v.launcher.count(), 0);
  await v.page.getByRole('button', { name: 'Chat as a guest' }).click();
  await v.opened();
  assert.equal(await v.part('bubble-user').count(), 0);
});

visit('the sample site signs Bob in, whose id is a number', async (v) => {
  const scaigrid = await demo();
  await v.page.goto(`${scaigrid.demoUrl}/floating`);
  await v.page.getByRole('button', { name: 'as Bob' }).click();
  await v.page.getByText('Bob', { exact: true }).waitFor();
  await v.open();
  await asks(v);
  const bob = (await conversations(scaigrid)).find((c) => c.visitor.id === '1043');
  assert.equal(bob?.visitor.email, 'bob@example.com');
});

for (const policy of ['strict', 'trusted-types', 'nonce', 'coep', 'none']) {
  visit(`the sample site under the policy ${policy}`, async (v) => {
    const { demoUrl } = await demo();
    await v.page.goto(`${demoUrl}/styled?policy=${policy}`);
    await v.open();
    await asks(v);
  });
}

visit(
  'the sample site on a phone',
  async (v) => {
    const { demoUrl } = await demo();
    await v.page.goto(demoUrl);
    await v.launcher.waitFor();
    assert.ok((await v.page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    await v.shot('demo-phone');
  },
  { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
);
