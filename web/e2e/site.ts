/** Somebody's web site: pages with the tag in them, under any policy, and a token endpoint that can fail in every way. */
import { createServer as plain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as secure } from 'node:https';
import { readFileSync } from 'node:fs';

import type { Certificate, Installation } from './installation.ts';

export type TokenAnswer = (res: ServerResponse) => Promise<void> | void;

export interface PageOptions {
  /** data-* attributes of the tag, without `data-`. */
  attributes?: Record<string, string>;
  head?: string;
  body?: string;
  headers?: Record<string, string>;
  /** Of the script tag. */
  nonce?: string;
  /** No tag at all. */
  bare?: boolean;
}

export class Site {
  readonly #pages = new Map<string, PageOptions>();
  #server = plain();
  #count = 0;
  url = '';
  minted = 0;
  /** How /chat-token answers now. */
  token: TokenAnswer;

  readonly scaigrid: Installation;

  private constructor(scaigrid: Installation, bot: string, mint: Record<string, unknown>) {
    this.scaigrid = scaigrid;
    this.token = this.minting(bot, mint);
  }

  /** `localhost` is another site than 127.0.0.1, where the server is. */
  static async start(
    scaigrid: Installation,
    bot: string,
    { host = 'localhost', tls, mint = {} }: { host?: string; tls?: Certificate; mint?: Record<string, unknown> } = {},
  ): Promise<Site> {
    const site = new Site(scaigrid, bot, mint);
    const answer = (req: IncomingMessage, res: ServerResponse): void => void site.#answer(req, res);
    site.#server = tls ? secure({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, answer) : plain(answer);
    await new Promise<void>((done) => site.#server.listen(0, '127.0.0.1', done));
    const address = site.#server.address();
    site.url = `${tls ? 'https' : 'http'}://${host}:${typeof address === 'object' && address ? address.port : 0}`;
    return site;
  }

  /** Mints a token as the tutorial's endpoint does. */
  minting(bot: string, mint: Record<string, unknown> = {}): TokenAnswer {
    return async (res) => {
      this.minted++;
      const data = await this.scaigrid.mint(bot, mint);
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(data));
    };
  }

  /** Adds a page and returns its address. */
  page(bot: string, options: PageOptions = {}): string {
    const path = `/page-${++this.#count}`;
    const attributes = options.attributes ?? {};
    this.#pages.set(path, {
      ...options,
      attributes: {
        'bot-id': bot,
        ...('token' in attributes || 'token-url' in attributes ? {} : { 'token-url': '/chat-token' }),
        ...attributes,
      },
    });
    return this.url + path;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = new URL(req.url ?? '/', 'http://x').pathname;
    if (path === '/chat-token') {
      await this.token(res);
      return;
    }
    const page = this.#pages.get(path);
    if (!page) {
      res.statusCode = path === '/favicon.ico' ? 204 : 404;
      res.end();
      return;
    }
    res.setHeader('content-type', 'text/html; charset=utf-8');
    for (const [name, value] of Object.entries(page.headers ?? {})) res.setHeader(name, value);
    const quoted = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    const data = Object.entries(page.attributes ?? {}).map(([k, v]) => `data-${k}="${quoted(v)}"`);
    const tag = `<script src="${this.scaigrid.url}/static/modules/scaibot/widget.js" ${page.nonce ? `nonce="${page.nonce}"` : ''} ${data.join(' ')} async></script>`;
    res.end(
      `<!doctype html><html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width, initial-scale=1">${page.head ?? ''}</head><body><main><h1>A page</h1>${page.body ?? ''}</main>${page.bare ? '' : tag}</body></html>`,
    );
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Ways in which a token endpoint fails. */
export const broken = {
  down: ((res) => void res.destroy()) as TokenAnswer,
  error: ((res) => {
    res.statusCode = 500;
    res.end('oops');
  }) as TokenAnswer,
  html: ((res) => {
    res.setHeader('content-type', 'text/html');
    res.end('<html>Sign in</html>');
  }) as TokenAnswer,
  nobody: ((res) => {
    res.statusCode = 204;
    res.end();
  }) as TokenAnswer,
};
