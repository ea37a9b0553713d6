/** Somebody's web site: pages with the tag in them, under any policy, and a token endpoint that can fail in every way. */
import {
  createServer as plain,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as secure } from 'node:https';
import { readFileSync } from 'node:fs';

import type { Certificate, Installation } from './installation.ts';

export type TokenAnswer = (res: ServerResponse) => Promise<void> | void;

export interface PageOptions {
  /** data-* attributes of the tag, without `data-`. */
  attributes?: Record<string, string>;
  head?: string;
  body?: string;
  /** The page's `<html lang>`. */
  lang?: string;
  headers?: Record<string, string>;
  /** Of the script tag. */
  nonce?: string;
  /** In place of the tag that is made from the attributes. */
  tag?: string;
}

export interface SiteOptions {
  host?: string;
  tls?: Certificate;
  /** What tokens are minted with. */
  mint?: Record<string, unknown>;
}

const quoted = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

export class Site {
  readonly #pages = new Map<string, PageOptions>();
  readonly #files = new Map<string, { type: string; body: string }>();
  readonly #scaigrid: Installation;
  #server: Server = plain();
  #count = 0;
  url = '';
  /** What came with each request to /chat-token. */
  readonly asked: IncomingHttpHeaders[] = [];
  /** Violations that browsers reported to the site. */
  readonly reports: string[] = [];
  /** How /chat-token answers now. */
  token: TokenAnswer;

  private constructor(scaigrid: Installation, bot: string, mint: Record<string, unknown>) {
    this.#scaigrid = scaigrid;
    this.token = this.minting(bot, mint);
  }

  /** `localhost` is another site than 127.0.0.1, where the server is. */
  static async start(
    scaigrid: Installation,
    bot: string,
    { host = 'localhost', tls, mint = {} }: SiteOptions = {},
  ): Promise<Site> {
    const site = new Site(scaigrid, bot, mint);
    const answer = (req: IncomingMessage, res: ServerResponse): void => {
      site.#answer(req, res).catch((error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      });
    };
    site.#server = tls ? secure({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, answer) : plain(answer);
    await new Promise<void>((done) => site.#server.listen(0, '127.0.0.1', done));
    const address = site.#server.address();
    site.url = `${tls ? 'https' : 'http'}://${host}:${typeof address === 'object' && address ? address.port : 0}`;
    return site;
  }

  /** Mints a token as the tutorial's endpoint does; `over` is said in place of what was minted. */
  minting(bot: string, mint: Record<string, unknown> = {}, over: Record<string, unknown> = {}): TokenAnswer {
    return async (res) => answerWith(res, { ...(await this.#scaigrid.mint(bot, mint)), ...over });
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

  /** Adds a file that pages may use. */
  file(path: string, type: string, body: string): void {
    this.#files.set(path, { type, body });
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = new URL(req.url ?? '/', 'http://x').pathname;
    const page = this.#pages.get(path);
    const file = this.#files.get(path);
    if (path === '/chat-token') {
      this.asked.push(req.headers);
      await this.token(res);
    } else if (path === '/csp-report') {
      let body = '';
      for await (const part of req) body += String(part);
      this.reports.push(body);
      res.end();
    } else if (file) {
      res.setHeader('content-type', file.type);
      res.end(file.body);
    } else if (page) {
      this.#show(page, res);
    } else {
      res.statusCode = path === '/favicon.ico' ? 204 : 404;
      res.end();
    }
  }

  #show(page: PageOptions, res: ServerResponse): void {
    res.setHeader('content-type', 'text/html; charset=utf-8');
    for (const [name, value] of Object.entries(page.headers ?? {}))
      res.setHeader(name, name === 'content-security-policy' ? `${value}; report-uri /csp-report` : value);
    const data = Object.entries(page.attributes ?? {}).map(([k, v]) => `data-${k}="${quoted(v)}"`);
    const tag =
      page.tag ??
      `<script src="${this.#scaigrid.url}/static/modules/scaibot/widget.js" ${page.nonce ? `nonce="${page.nonce}"` : ''} ${data.join(' ')} async></script>`;
    res.end(
      `<!doctype html><html lang="${page.lang ?? 'en'}"><head><title>A page</title><meta name="viewport" content="width=device-width, initial-scale=1">${page.head ?? ''}</head><body><main><h1>A page</h1>${page.body ?? ''}</main>${tag}</body></html>`,
    );
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export function answerWith(res: ServerResponse, body: unknown, status = 200): void {
  res.statusCode = status;
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify(body));
}

/** Ways in which a token endpoint fails. */
export const broken = {
  down: (res) => void res.destroy(),
  error: (res) => {
    res.statusCode = 500;
    res.end('oops');
  },
  html: (res) => {
    res.setHeader('content-type', 'text/html');
    res.end('<html>Sign in</html>');
  },
  signIn: (res) => {
    res.statusCode = 302;
    res.setHeader('location', '/page-1');
    res.end();
  },
  text: (res) => {
    res.setHeader('content-type', 'text/plain');
    res.end('a token, surely');
  },
  nobody: (res) => {
    res.statusCode = 204;
    res.end();
  },
} satisfies Record<string, TokenAnswer>;
