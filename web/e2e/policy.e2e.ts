/** Every policy of the contract, over HTTPS with two host names and over plain HTTP: a whole chat, zero violations, zero foreign requests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { Installation, root, type Certificate } from './installation.ts';
import { Site } from './site.ts';
import { visit } from './visit.ts';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the certificate is made below, nobody vouches for it

const folder = mkdtempSync(join(tmpdir(), 'scaigrid-tls-'));

function certificate(): Certificate {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=bot.example',
      '-addext',
      'subjectAltName=DNS:bot.example,DNS:site.example,IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  return { cert, key };
}

/** The tutorial's own text, its comment stripped and its host replaced. */
function tutorialPolicy(host: string): string {
  const text = readFileSync(join(root, 'docs/tutorials/embed-on-your-site.md'), 'utf8');
  const block = /```\n(script-src 'self' https:[^`]*)```/.exec(text)?.[1];
  if (!block) throw new Error('the tutorial has no policy');
  return block.replaceAll(/#.*$/gm, '').replaceAll('https://scaigrid.scailabs.ai', host).replaceAll(/\s+/g, ' ').trim();
}

const strict = (h: string): string =>
  `default-src 'none'; script-src ${h}; connect-src 'self' ${h}; img-src ${h} data:; style-src 'self'; base-uri 'none'`;

const policies: Record<string, (host: string) => Record<string, string>> = {
  tutorial: (h) => ({ 'content-security-policy': tutorialPolicy(h) }),
  strict: (h) => ({ 'content-security-policy': strict(h) }),
  'trusted types': (h) => ({
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

interface Pair {
  scaigrid: Installation;
  site: Site;
  bot: string;
}
const pairs: Record<string, Pair> = {};

async function pair(tls?: Certificate): Promise<Pair> {
  const scaigrid = await Installation.start(tls ? { host: 'bot.example', tls } : {});
  const bot = await scaigrid.knowing();
  return { scaigrid, bot, site: await Site.start(scaigrid, bot, tls ? { host: 'site.example', tls } : {}) };
}

before(async () => {
  pairs.HTTPS = await pair(certificate());
  pairs['plain HTTP'] = await pair();
});
after(() => {
  for (const { site, scaigrid } of Object.values(pairs)) {
    site.stop();
    scaigrid.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

for (const scheme of ['HTTPS', 'plain HTTP']) {
  for (const [name, headers] of Object.entries(policies)) {
    visit(`${name} over ${scheme}`, async (v) => {
      const { scaigrid, site, bot } = pairs[scheme] as Pair;
      const nonce = name.startsWith('nonce') ? { nonce: 'abc123' } : {};
      await v.page.goto(
        site.page(bot, {
          headers: headers(scaigrid.url),
          ...nonce,
          attributes: { locale: 'de', 'launcher-icon': 'help' },
        }),
      );
      await v.open();
      await v.says('How long can I return goods?', 'within 30 days');
      await v.part('citation').first().click();
      await v.part('sources').first().waitFor();
      await v.page.reload();
      if (!(await v.input.isVisible())) await v.open();
      await v.hears('within 30 days');
      await v.page.evaluate(() => (window as unknown as { ScaiBot: { destroy: () => void } }).ScaiBot.destroy());
      await v.clean('localhost', '127.0.0.1', 'site.example', 'bot.example');
    });
  }
}
