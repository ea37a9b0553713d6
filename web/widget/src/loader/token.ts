/**
 * The life of an embed token. The visitor's clock is not used: a life is counted on a monotonic clock from the moment the
 * token was asked for. A token is kept in private fields and nowhere else.
 */
import type { Off, Token, TokenFeed } from '../seam.ts';
import type { MessageCode } from '../table/messages.ts';

export interface TokenClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970; used only to notice that the machine slept. */
  wall(): number;
  after(ms: number, fn: () => void): Off;
  /** 0–1. */
  chance(): number;
}

export interface TokenOptions {
  token: string | undefined;
  url: string | undefined;
  credentials: RequestCredentials;
  report: (code: MessageCode, where: string) => void;
}

const MARGIN = 60_000; // before the end
const SHORT = 120_000; // a shorter life is renewed at its half
const PAUSE = 10_000; // between two fetches
const TICK = 30_000; // a sleeping machine is noticed this soon after it woke
const LONG = 60_000; // hidden or asleep
const PATIENCE = 10_000; // for the endpoint to answer

interface Claims {
  sub?: string;
  anon?: boolean;
  /** It may talk with a draft. */
  pvw?: boolean;
  iat?: number;
  exp?: number;
}

/** The payload of a JWT, or {} where there is none. Nothing here is trusted: the server checks. */
export function payload(raw: string): Claims {
  try {
    const part = (raw.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    return Object(JSON.parse(atob(part))) as Claims; // what we read of it is ASCII
  } catch {
    return {};
  }
}

interface Body {
  token?: unknown;
  ttl_seconds?: unknown;
  expires_at?: unknown;
}

/** Milliseconds of life that an answer gives its token. `date` is the answer's own clock, in milliseconds. */
export function lifeOf(body: Body, claims: Claims, date: number): number {
  const ttl = Number(body.ttl_seconds);
  if (ttl > 0) return ttl * 1000;
  const span = Number(claims.exp) - Number(claims.iat);
  if (span > 0) return span * 1000;
  const at = body.expires_at;
  const left = (Number(at) * 1000 || Date.parse(String(at))) - date;
  return left > 0 ? left : 3600_000;
}

/** What is wrong, and where. */
type Trouble = [code: MessageCode, where: string];

/** The token's fields in an answer: bare, or in an envelope. */
function bodyOf(text: string): Body {
  try {
    const json = Object(JSON.parse(text)) as Body & { data?: Body };
    return Object(json.token ? json : (json.data ?? json)) as Body;
  } catch {
    return {};
  }
}

export class TokenLife implements TokenFeed {
  token: Token | undefined;
  failing = false;
  ended = false;
  readonly #o: TokenOptions;
  readonly #clock: TokenClock;
  readonly #listeners = new Set<() => void>();
  #stopped = false;
  #running = false;
  #failures = 0;
  /** When the last answer with a token was asked for. */
  #fetched = -Infinity;
  /** When to act next: fetch, or notice that a static token is over. */
  #due = Infinity;
  #hidden = Infinity;
  #abort: AbortController | undefined;
  #cancel: Off | undefined;

  constructor(o: TokenOptions, clock: TokenClock) {
    this.#o = o;
    this.#clock = clock;
  }

  start(): void {
    const { token, url } = this.#o;
    if (token) this.#take(this.#make(token, {}, this.#clock.wall(), this.#clock.now()));
    else if (url) this.#act();
    else this.#o.report('token-none', 'data-token-url');
  }

  refresh(): boolean {
    const { url } = this.#o;
    if (url && !this.#running && !this.failing) {
      this.ended = false;
      this.#arm(this.#fetched + PAUSE);
    }
    return !!url;
  }

  listen(fn: () => void): Off {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** The page is shown (true) or hidden. */
  visible(shown: boolean): void {
    const now = this.#clock.now();
    if (shown) this.#arm(this.#due);
    if (shown && now - this.#hidden > LONG) this.refresh();
    this.#hidden = shown ? Infinity : now;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#abort?.abort();
    this.#listeners.clear();
  }

  /** Acts at `due`, or as soon as it is seen that the machine slept. */
  #arm(due: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#due = due;
    const wall = this.#clock.wall();
    const part = Math.min(Math.max(due - this.#clock.now(), 0), TICK);
    this.#cancel = this.#clock.after(part, () => {
      const slept = this.#clock.wall() - wall > part + LONG;
      if (slept || this.#clock.now() >= due) this.#act();
      else this.#arm(due);
    });
  }

  #act(): void {
    const { url, report } = this.#o;
    const end = this.token && this.token.born + this.token.life;
    if (url) void this.#renew(url);
    else if (end && this.#clock.now() < end) this.#arm(end);
    else if (!this.ended) {
      this.ended = true;
      report('token-expired', 'data-token');
      this.#tell();
    }
  }

  #tell(): void {
    for (const fn of [...this.#listeners]) fn();
  }

  #take(token: Token): void {
    const { born, life } = token;
    this.token = token;
    this.#failures = 0;
    this.failing = this.ended = false;
    this.#tell();
    const left = !this.#o.url ? life : life < SHORT ? life / 2 : life - MARGIN;
    this.#arm(Math.max(born + left, this.#fetched + PAUSE));
  }

  #make(raw: string, body: Body, date: number, born: number): Token {
    const claims = payload(raw);
    const { sub = '', anon, pvw } = claims;
    return { raw, sub, anon: anon !== false, preview: pvw === true, life: lifeOf(body, claims, date), born };
  }

  /** A token from the endpoint, undefined where it said 204, or what was wrong. */
  async #ask(url: string): Promise<Token | Trouble | undefined> {
    const born = this.#clock.now();
    const controller = (this.#abort = new AbortController());
    const cancel = this.#clock.after(PATIENCE, () => controller.abort());
    try {
      const init: RequestInit = { cache: 'no-store', credentials: this.#o.credentials, signal: controller.signal };
      const answer = await fetch(url, init);
      const { status, headers } = answer;
      if (status === 204) return undefined;
      if (/html/.test(String(headers.get('content-type'))) && (answer.ok || answer.redirected))
        return ['token-html', answer.url];
      if (status !== 200) return ['token-status', `${status} from ${url}`];
      const body = bodyOf(await answer.text());
      if (typeof body.token !== 'string') return ['token-not-json', url];
      this.#fetched = born;
      return this.#make(body.token, body, Date.parse(String(headers.get('date'))) || this.#clock.wall(), born);
    } catch {
      return ['token-unreachable', url];
    } finally {
      cancel();
    }
  }

  async #renew(url: string): Promise<void> {
    if (this.#stopped || this.#running) return;
    this.#running = true;
    this.#cancel?.();
    const token = await this.#ask(url);
    this.#running = false;
    if (this.#stopped) return;
    if (Array.isArray(token)) this.#failed(token);
    else if (!token) {
      this.ended = true;
      this.#tell();
    } else if (token.raw === this.token?.raw) this.#failed(['token-not-newer', url]);
    else this.#take(token);
  }

  #failed([code, where]: Trouble): void {
    const ceiling = Math.min(60_000, 1000 * 2 ** this.#failures++);
    this.failing = true;
    this.#o.report(code, where);
    this.#tell();
    this.#arm(this.#clock.now() + Math.max(1000, ceiling * (0.5 + this.#clock.chance() / 2)));
  }
}
