/** What the browser tests share: one stub and one browser a file, a fresh context a test. */
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launch, open, type Watched } from './chromium.ts';
import { startStub, type Stub, type StubControl } from './stub-server.mjs';

export interface Bench {
  stub: Stub;
  browser: Browser;
  /** Opens the site's page in a context of its own; the context is closed after the test file. */
  visit(query?: string, options?: Parameters<typeof open>[1]): Promise<Watched>;
  reset(): void;
}

const ordinary: StubControl = {
  ttl: 3600,
  token: 'ok',
  visitor: null,
  origin: 'ok',
  bot: 'active',
  info: {},
  cutAfter: 0,
  pace: 1,
  wait: 0,
  refuse: [],
  dead: false,
};

export function bench(): Bench {
  const b = {} as Bench;
  before(async () => {
    b.stub = await startStub();
    b.browser = await launch();
  });
  after(async () => {
    await b.browser.close();
    await b.stub.close();
  });
  b.reset = () => {
    for (const name of Object.keys(b.stub.control)) Reflect.deleteProperty(b.stub.control, name);
    Object.assign(b.stub.control, ordinary, { info: {}, refuse: [] });
    b.stub.log.length = 0;
    b.stub.conversations.clear();
  };
  b.visit = async (query = '', options = {}) => {
    const watched = await open(b.browser, options);
    await watched.page.goto(`${b.stub.site}/${query}`);
    return watched;
  };
  return b;
}

export const launcher = '.scaibot-launcher button';
export const input = '.scaibot-panel textarea';

export async function openPanel(page: Page): Promise<void> {
  await page.locator(launcher).click();
  await page.locator(input).waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator(input).fill(text);
  await page.locator(input).press('Enter');
}

/** Waits for an answer that holds the text. */
export async function answer(page: Page, text: string): Promise<void> {
  await page.locator('.msg.bot .md', { hasText: text }).last().waitFor();
}

export async function chat(page: Page, text: string, expected = `You said: ${text}`): Promise<void> {
  await say(page, text);
  await answer(page, expected);
}

/** Polls until the check holds. */
export async function until(check: () => boolean | Promise<boolean>, what: string, ms = 8000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not reached: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
