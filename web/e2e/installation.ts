/** A real ScaiGrid, started for the tests of one file: the binary that `make build` left, a data folder of its own, a scripted model provider. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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
}

export interface Conversation {
  id: string;
  visitor: { id: string | null; email: string | null; name: string | null; verified: boolean };
  claimed: { id: string; email: string; name: string } | null;
  metadata: unknown;
  messages?: Message[];
}

interface Envelope<T> {
  data: T;
  error?: { code: string; message: string };
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

async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    if (await ready().catch(() => false)) return;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`${what} did not become ready`);
}

export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'scaigrid-e2e-'));
  readonly #children: ChildProcess[] = [];
  #key = '';
  url = '';

  /** `host` is the name under which browsers reach the server. */
  static async start({
    host = '127.0.0.1',
    tls,
    demo,
  }: { host?: string; tls?: Certificate; demo?: number } = {}): Promise<Installation> {
    const one = new Installation();
    const [port, model] = [await freePort(), await freePort()];
    const env = {
      ...process.env,
      SCAIGRID_DATA_DIR: join(one.folder, 'data'),
      SCAIGRID_ADDR: `127.0.0.1:${port}`,
      SCAIGRID_LIMITS: 'off',
      SCAIGRID_LOG_LEVEL: 'error',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `http://127.0.0.1:${model}/v1`,
      ...(tls ? { SCAIGRID_TLS_CERT: tls.cert, SCAIGRID_TLS_KEY: tls.key } : {}),
      ...(demo ? { SCAIGRID_DEMO_ADDR: `localhost:${demo}` } : {}),
    };
    const scripted = join(one.folder, 'scriptedllm');
    execFileSync('go', ['build', '-o', scripted, './internal/llm/llmtest/cmd/scriptedllm'], { cwd: root });
    one.#children.push(spawn(scripted, ['--addr', `127.0.0.1:${model}`], { stdio: 'ignore' }));
    const made = execFileSync(binary, ['key', 'create', '--name', 'e2e', '--json'], { env, encoding: 'utf8' });
    one.#key = (JSON.parse(made) as { key: string }).key;
    one.#children.push(
      spawn(binary, ['serve', ...(demo ? ['--demo'] : [])], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    one.url = `${tls ? 'https' : 'http'}://${host}:${port}`;
    one.#local = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    await until('the server', async () => (await fetch(`${one.#local}/health/ready`)).ok);
    return one;
  }

  #local = '';

  get key(): string {
    return this.#key;
  }

  /** The server's address as Node reaches it. */
  get local(): string {
    return this.#local;
  }

  async call<T>(method: string, path: string, body?: unknown, token = this.#key): Promise<T> {
    const res = await fetch(this.#local + base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const envelope = (await res.json()) as Envelope<T>;
    if (!res.ok)
      throw new Error(`${method} ${path}: ${res.status} ${envelope.error?.code}: ${envelope.error?.message}`);
    return envelope.data;
  }

  #bots = 0;

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

  async mint(
    bot: string,
    body: Record<string, unknown> = {},
  ): Promise<{ token: string; expires_at: string; token_id: string }> {
    return this.call('POST', `/bots/${bot}/embed-token`, body);
  }

  /** All conversations of a bot, with their messages. */
  async conversations(bot: string): Promise<Conversation[]> {
    const list = await this.call<Conversation[]>('GET', `/conversations?bot_id=${bot}&limit=100`);
    return Promise.all(list.map((c) => this.call<Conversation>('GET', `/conversations/${c.id}`)));
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
