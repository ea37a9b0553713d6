/** Starts Chromium and finds its way through open shadow roots. */
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** What the console said. */
  said: string[];
  /** Violations of the page's policy. */
  violations: () => Promise<string[]>;
  /** Requests to anything but loopback. */
  foreign: string[];
}

export async function open(browser: Browser, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  // The compiler of the tests names functions by a helper that the page does not have.
  await context.addInitScript({ content: 'globalThis.__name = (f) => f' });
  await context.addInitScript(() => {
    const w = window as unknown as { __violations: string[]; __ran: string[] };
    w.__violations = [];
    w.__ran = [];
    document.addEventListener('securitypolicyviolation', (e) =>
      w.__violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`),
    );
  });
  const page = await context.newPage();
  const said: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(`pageerror ${error.message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && !['localhost', '127.0.0.1'].includes(url.hostname))
      foreign.push(request.url());
  });
  const violations = (): Promise<string[]> =>
    page.evaluate(() => (window as unknown as { __violations: string[] }).__violations);
  return { context, page, said, foreign, violations };
}
