/** The tutorial's own server samples, their code unchanged, driven by the browser: anonymous, signed in, and with a number for an id. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { freePort, root, start, until } from './installation.ts';
import type { Site } from './site.ts';
import { sample } from './tutorial.ts';
import { visit } from './visit.ts';
import { own, world } from './world.ts';

/** Around the tutorial's code: who is signed in is what the site's own cookie says, and the server's start. */
const flask = (bot: string, port: number): string => `
BOT_ID = ${JSON.stringify(bot)}
class Visitor:
    def __init__(self, id, email, plan): self.id, self.email, self.plan = id, email, plan
PEOPLE = {"alice": Visitor("usr_42", "alice@example.com", "pro"), "number": Visitor(42, "n@example.com", "free")}
def current_visitor():
    return PEOPLE.get(request.cookies.get("who"))
${sample('python', '@app.route("/chat-token")')}
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

interface Sample {
  command: string;
  file: string;
  code: (bot: string, port: number) => string;
  /** The sample sends metadata. */
  plans: boolean;
}
const samples: Record<string, Sample> = {
  Flask: { command: '/usr/bin/python3', file: 'flask_site.py', code: flask, plans: true },
  Express: { command: process.execPath, file: 'express_site.mjs', code: express, plans: false },
};

const folder = mkdtempSync(join(tmpdir(), 'scaigrid-samples-'));
const servers: ChildProcess[] = [];
after(() => {
  for (const server of servers) server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  site: Site;
  id: string;
  answers: () => Promise<string>;
}
const running: Record<string, Promise<Running>> = {};

/** Starts a sample, and a site that has it behind its own /chat-token. */
async function run({ command, file, code }: Sample): Promise<Running> {
  const { scaigrid, id, site } = await own();
  const port = await freePort();
  const path = join(folder, file);
  writeFileSync(path, code(id, port));
  if (servers.length === 0) symlinkSync(join(root, 'web/node_modules'), join(folder, 'node_modules'));
  const env = {
    ...process.env,
    SCAIGRID_HOST: scaigrid.local,
    SCAIGRID_API_KEY: scaigrid.key,
    PYTHONWARNINGS: 'ignore',
  };
  servers.push(start(command, [path], env, folder, 'ignore'));
  const address = `http://127.0.0.1:${port}/chat-token`;
  await until(file, async () => (await fetch(address)).ok);
  site.token = async (res) => {
    const upstream = await fetch(address, { headers: { cookie: res.req.headers.cookie ?? '' } });
    res.statusCode = upstream.status;
    res.setHeader('content-type', upstream.headers.get('content-type') ?? '');
    res.end(await upstream.text());
  };
  return { site, id, answers: async () => (await fetch(address)).text() };
}

const people = {
  nobody: { id: null, email: null, plan: null },
  alice: { id: 'usr_42', email: 'alice@example.com', plan: { plan: 'pro' } },
  number: { id: '42', email: 'n@example.com', plan: { plan: 'free' } },
};

for (const [name, one] of Object.entries(samples)) {
  for (const [who, want] of Object.entries(people)) {
    visit(`the ${name} sample, ${who}`, async (v) => {
      const { site, id, answers } = await (running[name] ??= run(one));
      const { token, expires_at } = JSON.parse(await answers()) as Record<string, unknown>;
      assert.equal(typeof token, 'string');
      assert.ok(Date.parse(String(expires_at)) > Date.now());
      await v.context.addCookies([{ name: 'who', value: who, url: site.url }]);
      await v.page.goto(site.page(id));
      await v.open();
      await v.says(`I am ${who}`);
      const { scaigrid } = await world();
      const c = (await scaigrid.conversations(id)).find((each) => each.messages?.[0]?.content === `I am ${who}`);
      assert.deepEqual(
        [c?.visitor.id, c?.visitor.email, c?.visitor.verified, c?.metadata],
        [want.id, want.email, want.id !== null, one.plans ? want.plan : null],
      );
    });
  }
}
