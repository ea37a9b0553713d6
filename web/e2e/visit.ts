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

import { root } from './installation.ts';

const TIMEOUT = 15_000;
let browser: Promise<Browser> | undefined;

after(async () => (await browser)?.close());

async function launched(): Promise<Browser> {
  browser ??= chromium.launch({
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
      '--js-flags=--expose-gc',
      '--host-resolver-rules=MAP site.example 127.0.0.1,MAP bot.example 127.0.0.1',
    ],
  });
  return browser;
}

export class Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly console: string[] = [];
  readonly errors: string[] = [];
  readonly requests: string[] = [];

  constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    this.watch(page);
  }

  watch(page: Page): void {
    page.setDefaultTimeout(TIMEOUT);
    page.on('console', (m) => this.console.push(m.text()));
    page.on('pageerror', (e) => this.errors.push(e.message));
    page.on('request', (r) => this.requests.push(`${r.method()} ${r.url()}`));
  }

  /** What the widget wrote to the console under this code. */
  said(code: string): string[] {
    return this.console.filter((line) => line.startsWith(`scaibot[${code}]`));
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

  async open(page = this.page): Promise<void> {
    await page.locator('.scaibot-launcher').click();
    await this.part('input', page).waitFor({ state: 'visible' });
  }

  async type(text: string, page = this.page): Promise<void> {
    await this.part('input', page).fill(text);
    await this.part('input', page).press('Enter');
  }

  /** Waits until a bubble of the bot holds the text. */
  async hears(text: string | RegExp, page = this.page): Promise<void> {
    await this.part('bubble-bot', page).filter({ hasText: text }).first().waitFor({ state: 'visible' });
  }

  async says(text: string, answer: string | RegExp = text): Promise<void> {
    await this.type(text);
    await this.hears(answer);
  }

  async violations(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { violations: string[] }).violations);
  }

  /** No error, no violation of the page's policy, no request to anybody else. */
  async clean(...hosts: string[]): Promise<void> {
    assert.deepEqual(await this.violations(), []);
    assert.deepEqual(this.errors, []);
    const foreign = this.requests.filter((r) => {
      const url = new URL(r.split(' ')[1] ?? '');
      return url.protocol.startsWith('http') && !hosts.includes(url.hostname);
    });
    assert.deepEqual(foreign, []);
  }
}

/** A browser test: a fresh visitor; a picture and a trace are kept if it fails. */
export function visit(name: string, run: (v: Visit) => Promise<void>, options: BrowserContextOptions = {}): void {
  void test(name, { timeout: 90_000 }, async () => {
    const context = await (await launched()).newContext({ viewport: { width: 1280, height: 860 }, ...options });
    await context.tracing.start({ screenshots: true, snapshots: true });
    await context.addInitScript(() => {
      const found: string[] = [];
      (window as unknown as { violations: string[] }).violations = found;
      document.addEventListener('securitypolicyviolation', (e) =>
        found.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`),
      );
    });
    const v = new Visit(context, await context.newPage());
    try {
      await run(v);
      await context.tracing.stop();
    } catch (error) {
      const folder = join(root, '.build/e2e', name.replaceAll(/[^\w]+/g, '-'));
      mkdirSync(folder, { recursive: true });
      await v.page.screenshot({ path: join(folder, 'page.png') }).catch(() => undefined);
      await context.tracing.stop({ path: join(folder, 'trace.zip') }).catch(() => undefined);
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\nA picture and a trace are in .build/e2e; the console said ${JSON.stringify(v.console.slice(-8))}`,
        { cause: error },
      );
    } finally {
      await context.close();
    }
  });
}
