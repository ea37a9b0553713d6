/** Every policy of the contract, over HTTPS with two host names and over plain HTTP: a whole chat, zero violations, zero requests to anybody else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Installation, type Certificate } from './installation.ts';
import { Site } from './site.ts';
import { tutorialPolicy } from './tutorial.ts';
import { visit } from './visit.ts';
import { world, type World } from './world.ts';

/** Nobody vouches for it: browser and Node are told to take it all the same. */
function certificate(folder: string): Certificate {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=bot.example', '-addext', 'subjectAltName=DNS:bot.example,DNS:site.example,IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '2', ...names, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { cert, key };
}

const strict = (h: string): string =>
  `default-src 'none'; script-src ${h}; connect-src 'self' ${h}; img-src ${h} data:; style-src 'self'; base-uri 'none'`;

const policies: Record<string, (host: string) => Record<string, string>> = {
  tutorial: (h) => ({ 'content-security-policy': tutorialPolicy(h) }),
  strict: (h) => ({ 'content-security-policy': strict(h) }),
  'Trusted Types': (h) => ({
    'content-security-policy': `${strict(h)}; require-trusted-types-for 'script'; trusted-types 'none'`,
  }),
  'nonce and strict-dynamic': (h) => ({
    'content-security-policy': strict(h).replace(`script-src ${h}`, `script-src 'nonce-abc123' 'strict-dynamic'`),
  }),
  'COEP require-corp': (h) => ({
    'content-security-policy': strict(h),
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-opener-policy': 'same-origin',
  }),
};

const folder = mkdtempSync(join(tmpdir(), 'scaigrid-tls-'));
let secure: Promise<World> | undefined;
let insecure: Promise<World> | undefined;

async function makeSecure(): Promise<World> {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  process.removeAllListeners('warning'); // which says so
  const tls = certificate(folder);
  const scaigrid = await Installation.start({ host: 'bot.example', tls });
  const bot = await scaigrid.knowing();
  return { scaigrid, bot, site: await Site.start(scaigrid, bot, { host: 'site.example', tls }) };
}

/** The shared server, and a site whose reports are of these tests alone. */
async function makeInsecure(): Promise<World> {
  const shared = await world();
  return { ...shared, site: await Site.start(shared.scaigrid, shared.bot) };
}

after(async () => {
  const made = await secure?.catch(() => undefined);
  made?.site.stop();
  await made?.scaigrid.stop();
  (await insecure?.catch(() => undefined))?.site.stop();
  rmSync(folder, { recursive: true, force: true });
});

const schemes: Record<string, () => Promise<World>> = {
  HTTPS: () => (secure ??= makeSecure()),
  'plain HTTP': () => (insecure ??= makeInsecure()),
};

for (const [scheme, open] of Object.entries(schemes)) {
  for (const [name, headers] of Object.entries(policies)) {
    visit(`${name} over ${scheme}`, async (v) => {
      const { scaigrid, site, bot } = await open();
      const nonce = name.startsWith('nonce') ? { nonce: 'abc123' } : {};
      const attributes = { locale: 'de', 'launcher-icon': 'headset' };
      await v.page.goto(site.page(bot, { headers: headers(scaigrid.url), ...nonce, attributes }));
      await v.open();
      await v.says('How long can I return goods?', 'within 30 days');
      await v.part('citation').first().click();
      await v.part('sources').getByText('Returns').first().waitFor();
      await v.page.locator('[data-rate=up]').click();
      await v.page.locator('[data-rate=up][aria-pressed=true]').waitFor();
      await v.says('<img src=x onerror=alert(1)> **bold** `code`', /./);
      await v.page.reload();
      await v.opened();
      await v.hears('within 30 days');
      const findings = await v.api((s) => s.doctor());
      assert.deepEqual(
        findings?.filter((f) => !f.ok),
        [],
      );
      assert.equal(await v.page.evaluate(() => crossOriginIsolated), name.startsWith('COEP'));
      await v.api((s) => s.destroy());
    });
  }
}

test('no browser reported a violation to the sites', async () => {
  for (const open of Object.values(schemes)) {
    const { site } = await open();
    assert.deepEqual(site.reports, []);
  }
});

visit('an address that is not a secure context works too, and says that HTTPS is better', async (v) => {
  const { scaigrid, bot } = await world();
  const site = await Site.start(scaigrid, bot, { host: 'site.example' });
  try {
    await v.page.goto(site.page(bot));
    assert.equal(await v.page.evaluate(() => isSecureContext), false);
    await v.open();
    await v.says('How long can I return goods?', 'within 30 days');
    await v.tells('no-https');
    await v.page.reload();
    await v.opened();
    await v.hears('within 30 days');
  } finally {
    site.stop();
  }
});
