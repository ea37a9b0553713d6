/** A visitor in Chromium, and everything that must not happen while he is there. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from 'playwright-core';

import type { ScaiBot } from '../widget/src/loader/api.ts';
import { root, until } from './installation.ts';

declare global {
  interface Window {
    ScaiBot?: ScaiBot;
  }
}

const TIMEOUT = 15_000;
const ours = new Set(['localhost', '127.0.0.1', 'site.example', 'bot.example']);

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

function launched(): Promise<Browser> {
  return (browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--ignore-certificate-errors',
      '--host-resolver-rules=MAP site.example 127.0.0.1,MAP bot.example 127.0.0.1',
    ],
  }));
}

export class Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly console: string[] = [];
  readonly requests: string[] = [];
  readonly #errors: string[] = [];
  readonly #violations: string[] = [];
  readonly #asked = new Set<string>();

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    context.on('console', (m) => this.console.push(m.text()));
    context.on('weberror', (e) => this.#errors.push(e.error().message));
    context.on('request', (r) => this.requests.push(`${r.method()} ${r.url()}`));
  }

  static async begin(options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await (await launched()).newContext({ viewport: { width: 1280, height: 860 }, ...options });
    context.setDefaultTimeout(TIMEOUT);
    const v = new Visit(context, await context.newPage());
    await context.exposeFunction('__violated', (what: string) => v.#violations.push(what));
    // The compiler of the tests names functions by a helper that pages do not have.
    await context.addInitScript({ content: 'globalThis.__name = (f) => f' });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) =>
        (window as unknown as { __violated: (what: string) => void }).__violated(
          `${e.effectiveDirective} ${e.blockedURI} ${e.sample}`,
        ),
      );
    });
    return v;
  }

  /** Nothing went wrong that nobody asked about: no error, no violation of the page's policy, no request to anybody else, no complaint of the widget. */
  end(violates = false): void {
    assert.deepEqual(this.#errors, [], 'errors of the page');
    if (!violates) assert.deepEqual(this.#violations, [], 'violations of the policy');
    const foreign = this.requests.filter((r) => {
      const url = new URL(r.split(' ')[1] ?? '');
      return url.protocol.startsWith('http') && !ours.has(url.hostname);
    });
    assert.deepEqual(foreign, [], 'requests to somebody else');
    const complaints = this.console.filter((line) => {
      const code = /^scaibot\[([\w-]+)\]/.exec(line)?.[1];
      return code !== undefined && !this.#asked.has(code);
    });
    assert.deepEqual(complaints, [], 'complaints of the widget');
  }

  /** What the widget wrote to the console under this code so far. */
  said(code: string): string[] {
    this.#asked.add(code);
    return this.console.filter((line) => line.startsWith(`scaibot[${code}]`));
  }

  /** Waits for the widget's message of this code and returns it. */
  async tells(code: string): Promise<string> {
    await until(`scaibot[${code}]`, () => this.said(code).length > 0, TIMEOUT).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said ${JSON.stringify(this.console)}`);
    });
    return this.said(code)[0] ?? '';
  }

  /** Calls on /chat… so far, without preflights. */
  get chatCalls(): string[] {
    return this.requests.filter((r) => r.includes('/scaibot/chat') && !r.startsWith('OPTIONS'));
  }

  get launcher(): Locator {
    return this.page.locator('.scaibot-launcher');
  }

  part(name: string, page = this.page): Locator {
    return page.locator(`[part~="${name}"]`);
  }

  get input(): Locator {
    return this.part('input');
  }

  get panel(): Locator {
    return this.part('panel');
  }

  /** The widget's line about the connection. */
  async notices(text: string | RegExp): Promise<void> {
    await this.part('notice').filter({ hasText: text }).waitFor({ state: 'visible' });
  }

  async open(page = this.page): Promise<void> {
    await page.locator('.scaibot-launcher').click();
    await this.part('input', page).waitFor({ state: 'visible' });
  }

  /** Opens the panel, unless it came open. */
  async opened(page = this.page): Promise<void> {
    await page.locator('.scaibot-launcher').waitFor();
    if (!(await this.part('input', page).isVisible())) await this.open(page);
  }

  async type(text: string, page = this.page): Promise<void> {
    await this.part('input', page).fill(text);
    await this.part('input', page).press('Enter');
  }

  /** Waits until a bubble of the bot holds the text. */
  async hears(text: string | RegExp, page = this.page): Promise<void> {
    await this.part('bubble-bot', page).filter({ hasText: text }).first().waitFor({ state: 'visible' });
  }

  async says(text: string, answer: string | RegExp = `You said: ${text}`, page = this.page): Promise<void> {
    await this.type(text, page);
    await this.hears(answer, page);
  }

  /** Calls the page's `window.ScaiBot`. */
  async api<T, A>(run: (api: ScaiBot, arg: A) => T, arg?: A): Promise<Awaited<T>> {
    const call = run.toString();
    return this.page.evaluate<Awaited<T>>(`(${call})(window.ScaiBot, ${JSON.stringify(arg ?? null)})`);
  }

  /** Keeps a picture where somebody wants to look: E2E_SHOTS names a folder. */
  async shot(name: string, page = this.page): Promise<void> {
    const folder = process.env.E2E_SHOTS;
    if (!folder) return;
    await page.waitForTimeout(350); // animations
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }
}

export interface VisitOptions extends BrowserContextOptions {
  /** The test is about a policy that is violated. */
  violates?: boolean;
}

/** A browser test: a fresh visitor; a picture and a trace are kept if it fails. */
export function visit(name: string, run: (v: Visit) => Promise<void>, options: VisitOptions = {}): void {
  void test(name, { timeout: 120_000 }, async () => {
    const { violates, ...context } = options;
    const v = await Visit.begin(context);
    await v.context.tracing.start({ snapshots: true });
    try {
      await run(v);
      v.end(violates);
      await v.context.tracing.stop();
    } catch (error) {
      const folder = join(root, '.build/e2e', name.replaceAll(/[^\w]+/g, '-'));
      mkdirSync(folder, { recursive: true });
      await v.page.screenshot({ path: join(folder, 'page.png') }).catch(() => undefined);
      await v.context.tracing.stop({ path: join(folder, 'trace.zip') }).catch(() => undefined);
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\nA picture and a trace are in ${folder}; the console said ${JSON.stringify(v.console.slice(-8))}`,
        { cause: error },
      );
    } finally {
      await v.context.close();
    }
  });
}
