/** The tutorial's own server samples, their code unchanged, driven by the browser: anonymous, signed in, and with a number for an id. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { freePort, Installation, root } from './installation.ts';
import { Site, type TokenAnswer } from './site.ts';
import { visit } from './visit.ts';

const tutorial = readFileSync(join(root, 'docs/tutorials/embed-on-your-site.md'), 'utf8');

/** The fenced block of this language that holds the text. */
function sample(language: string, holds: string): string {
  const blocks = tutorial.split(/^```/m).filter((_, i) => i % 2 === 1);
  const block = blocks.find((b) => b.startsWith(`${language}\n`) && b.includes(holds));
  if (!block) throw new Error(`the tutorial has no ${language} sample with ${holds}`);
  return block.slice(language.length + 1);
}

/** Who is signed in is what the site's own cookie says; the rest is the tutorial. */
const python = (bot: string, port: number): string => `
BOT_ID = ${JSON.stringify(bot)}
class Visitor:
    def __init__(self, id, email, plan): self.id, self.email, self.plan = id, email, plan
PEOPLE = {"alice": Visitor("usr_42", "alice@example.com", "pro"), "number": Visitor(42, "n@example.com", "free")}
def current_visitor():
    return PEOPLE.get(request.cookies.get("who"))
${sample('python', '@app.route("/chat-token")')}
if __name__ == "__main__":
    app.run(host="127.0.0.1", port=${port})
`;

const express = (bot: string, port: number): string => `
import express from "express";
const BOT_ID = ${JSON.stringify(bot)};
const PEOPLE = { alice: { id: "usr_42", email: "alice@example.com" }, number: { id: 42, email: "n@example.com" } };
const app = express();
app.use((req, _res, next) => {
  req.user = PEOPLE[/who=(\\w+)/.exec(req.headers.cookie ?? "")?.[1]];
  next();
});
${sample('javascript', 'app.get("/chat-token"')}
app.listen(${port}, "127.0.0.1");
`;

let scaigrid: Installation;
const servers: ChildProcess[] = [];
const sites: Record<string, { site: Site; bot: string }> = {};

/** A site whose /chat-token is the sample's, behind the same origin. */
async function siteOf(command: string, file: (bot: string, port: number) => string, name: string): Promise<void> {
  const bot = await scaigrid.bot();
  const port = await freePort();
  const path = join(scaigrid.folder, name);
  writeFileSync(path, file(bot, port));
  const child = spawn(command, [path], {
    cwd: scaigrid.folder,
    env: { ...process.env, SCAIGRID_HOST: scaigrid.local, SCAIGRID_API_KEY: scaigrid.key },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (d: Buffer) => (said += d.toString()));
  servers.push(child);
  const site = await Site.start(scaigrid, bot);
  const relay: TokenAnswer = async (res) => {
    const upstream = await fetch(`http://127.0.0.1:${port}/chat-token`, {
      headers: { cookie: res.req.headers.cookie ?? '' },
    }).catch((e: unknown) => {
      throw new Error(`${name} does not answer: ${String(e)}\n${said}`);
    });
    res.statusCode = upstream.status;
    res.setHeader('content-type', upstream.headers.get('content-type') ?? '');
    res.end(await upstream.text());
  };
  site.token = relay;
  for (let i = 0; ; i++) {
    if (
      await fetch(`http://127.0.0.1:${port}/none`).then(
        () => true,
        () => false,
      )
    )
      break;
    if (i === 400) throw new Error(`${name} does not start: ${said}`);
    await new Promise((go) => setTimeout(go, 25));
  }
  sites[name] = { site, bot };
}

before(async () => {
  scaigrid = await Installation.start();
  symlinkSync(join(root, 'web/node_modules'), join(scaigrid.folder, 'node_modules'));
  await siteOf('/usr/bin/python3', python, 'flask_site.py');
  await siteOf(process.execPath, express, 'express.mjs');
});
after(() => {
  for (const s of servers) s.kill('SIGKILL');
  for (const { site } of Object.values(sites)) site.stop();
  scaigrid.stop();
});

for (const name of ['flask_site.py', 'express.mjs']) {
  for (const [who, want] of [
    ['nobody', { id: null, email: null, name: null, verified: false }],
    ['alice', { id: 'usr_42', email: 'alice@example.com', name: null, verified: true }],
    ['number', { id: '42', email: 'n@example.com', name: null, verified: true }],
  ] as const) {
    visit(`${name}, ${who}`, async (v) => {
      const { site, bot } = sites[name] as { site: Site; bot: string };
      await v.context.addCookies([{ name: 'who', value: who, url: site.url }]);
      await v.page.goto(site.page(bot));
      await v.open();
      await v.says(`I am ${who}`, `You said: I am ${who}`);
      const c = (await scaigrid.conversations(bot)).find((one) => one.messages?.[0]?.content === `I am ${who}`);
      assert.ok(c);
      assert.deepEqual({ ...c.visitor, ref: undefined }, { ...want, ref: undefined });
      assert.deepEqual(
        c.metadata,
        name === 'flask_site.py' && who !== 'nobody' ? { plan: who === 'alice' ? 'pro' : 'free' } : null,
      );
    });
  }
}
