/** A real ScaiGrid: the binary that `make build` left, a data folder of its own, a scripted model provider. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
const binary = process.env.SCAIGRID_BIN ?? join(root, 'bin/scaigrid');
const base = '/v1/modules/scaibot';

export interface Certificate {
  cert: string;
  key: string;
}

export interface Message {
  id: string;
  role: string;
  content: string;
  status: string;
  rating: string | null;
}

export interface Conversation {
  id: string;
  visitor: { id: string | null; email: string | null; name: string | null; verified: boolean };
  claimed: { id: string; email: string; name: string } | null;
  metadata: unknown;
  page: { url: string; title: string } | null;
  locale: string;
  messages?: Message[];
}

export interface Minted {
  token: string;
  expires_at: string;
  ttl_seconds: number;
  token_id: string;
}

interface Envelope<T> {
  data: T;
  error?: { code: string; message: string };
}

export interface InstallationOptions {
  /** The name under which browsers reach the server. */
  host?: string;
  tls?: Certificate;
  /** With the sample site, at a port of its own. */
  demo?: boolean;
  /** Settings beside the usual ones. */
  env?: Record<string, string>;
}

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until `ready` says yes; an error is a no. */
export async function until(what: string, ready: () => Promise<boolean> | boolean, patience = 20_000): Promise<void> {
  const end = Date.now() + patience;
  let last = '';
  while (Date.now() < end) {
    try {
      if (await ready()) return;
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`waited ${patience / 1000} s in vain for ${what}${last}`);
}

/** What the tests started and must not outlive them, whatever happens. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a program that ends with the tests. */
export function start(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  stderr: 'inherit' | 'ignore' = 'inherit',
): ChildProcess {
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'ignore', stderr] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

let provider: Promise<string> | undefined;

/** The scripted provider's base address; one serves every installation, since the model's name is the script. */
async function scriptedProvider(): Promise<string> {
  const program = join(root, '.build/scriptedllm');
  mkdirSync(join(root, '.build'), { recursive: true });
  execFileSync('go', ['build', '-o', program, './internal/llm/llmtest/cmd/scriptedllm'], { cwd: root });
  const address = `127.0.0.1:${await freePort()}`;
  start(program, ['--addr', address], process.env, root, 'ignore').unref();
  await until('the scripted provider', async () => (await fetch(`http://${address}/v1/models`)).status > 0);
  return `http://${address}/v1`;
}

export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'scaigrid-e2e-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #demo: boolean;
  #child: ChildProcess | undefined;
  #bots = 0;
  /** An API key of an administrator. */
  key = '';
  /** The server's address as browsers reach it, and as Node does. */
  url = '';
  local = '';
  /** The sample site's address. */
  demoUrl = '';

  private constructor(env: NodeJS.ProcessEnv, demo: boolean) {
    this.#env = { ...env, SCAIGRID_DATA_DIR: join(this.folder, 'data') };
    this.#demo = demo;
  }

  static async start({
    host = '127.0.0.1',
    tls,
    demo = false,
    env = {},
  }: InstallationOptions = {}): Promise<Installation> {
    const [port, shop] = [await freePort(), await freePort()];
    const one = new Installation(
      {
        ...process.env,
        SCAIGRID_ADDR: `127.0.0.1:${port}`,
        SCAIGRID_LIMITS: 'off',
        SCAIGRID_LOG_LEVEL: 'error',
        SCAIGRID_DEMO_ADDR: `localhost:${shop}`,
        OPENAI_API_KEY: 'sk-test',
        OPENAI_BASE_URL: await (provider ??= scriptedProvider()),
        ...(tls ? { SCAIGRID_TLS_CERT: tls.cert, SCAIGRID_TLS_KEY: tls.key } : {}),
        ...env,
      },
      demo,
    );
    const scheme = tls ? 'https' : 'http';
    one.url = `${scheme}://${host}:${port}`;
    one.local = `${scheme}://127.0.0.1:${port}`;
    one.demoUrl = `http://localhost:${shop}`;
    one.key = (JSON.parse(one.run('key', 'create', '--name', 'e2e', '--json')) as { key: string }).key;
    await one.serve();
    return one;
  }

  /** What a command of the program prints. */
  run(...args: string[]): string {
    return execFileSync(binary, args, { env: this.#env, cwd: this.folder, encoding: 'utf8' });
  }

  async serve(): Promise<void> {
    const args = this.#demo ? ['serve', '--demo'] : ['serve'];
    this.#child = start(binary, args, this.#env, this.folder);
    await until('the server', async () => (await fetch(`${this.local}/health/ready`)).ok);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  async call<T>(method: string, path: string, body?: unknown, token = this.key): Promise<T> {
    const res = await fetch(this.local + base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const envelope = (await res.json()) as Envelope<T>;
    if (!res.ok)
      throw new Error(`${method} ${path}: ${res.status} ${envelope.error?.code}: ${envelope.error?.message}`);
    return envelope.data;
  }

  /** A request of a visitor with a token, as it is. */
  chat(path: string, token: string, init: { key?: string; body?: unknown; headers?: Record<string, string> } = {}) {
    const { key, body, headers } = init;
    return fetch(`${this.local}${base}/chat${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key ? { 'x-scaibot-visitor': key } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Makes an active bot and returns its id. */
  async bot(fields: Record<string, unknown> = {}): Promise<string> {
    const n = ++this.#bots;
    const bot = await this.call<{ id: string }>('POST', '/bots', {
      name: `Helper ${n}`,
      slug: `helper-${n}`,
      model: 'openai/echo',
      status: 'active',
      ...fields,
    });
    return bot.id;
  }

  /** A bot that answers from a document, by itself. */
  async knowing(fields: Record<string, unknown> = {}): Promise<string> {
    const id = await this.bot({ model: 'scaigrid/extractive', knowledge_enabled: true, ...fields });
    await this.call('POST', `/bots/${id}/documents`, {
      name: 'Returns',
      text: '# Returns\n\n## How long can I return goods?\n\nYou may return goods within 30 days. Keep the receipt.\n\n## Shipping\n\nParcels leave on the same day.\n',
    });
    await until('the document', async () => {
      const docs = await this.call<{ status: string }[]>('GET', `/bots/${id}/documents`);
      return docs.every((d) => d.status === 'indexed');
    });
    return id;
  }

  async mint(bot: string, body: Record<string, unknown> = {}): Promise<Minted> {
    return this.call('POST', `/bots/${bot}/embed-token`, body);
  }

  /** All conversations of a bot, with their messages, those of preview tokens too. */
  async conversations(bot: string): Promise<Conversation[]> {
    const list = await this.call<Conversation[]>('GET', `/conversations?bot_id=${bot}&limit=100&preview=true`);
    return Promise.all(list.map((c) => this.call<Conversation>('GET', `/conversations/${c.id}`)));
  }

  /** All that visitors asked a bot, newest conversation first. */
  async questions(bot: string): Promise<string[]> {
    const all = await this.conversations(bot);
    return all.flatMap((c) => (c.messages ?? []).filter((m) => m.role === 'user').map((m) => m.content));
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
