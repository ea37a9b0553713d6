/**
 * The life of an embed token. The visitor's clock is not used: a life is counted on a monotonic clock from the moment the
 * token was asked for. A token is kept in private fields and nowhere else.
 */
import { TokenEnded, type Health, type Off, type Token, type Tokens } from '../seam.ts';
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
  report(code: MessageCode, where?: string): void;
  /** The endpoint answers again. */
  recovered(): void;
  /** A static token ran out. */
  expired(): void;
  /** 204: no chat for this visitor (true), or a token after all (false). */
  none(none: boolean): void;
}

const MARGIN = 60_000; // before the end
const SHORT = 120_000; // a shorter life is renewed at its half
const PAUSE = 10_000; // between two fetches
const TICK = 30_000; // a sleeping machine is noticed this soon after it woke
const LONG_HIDDEN = 60_000;
const PATIENCE = 10_000; // for the endpoint to answer

interface Claims {
  sub?: string;
  anon?: boolean;
  preview?: boolean;
  iat?: number;
  exp?: number;
}

/** The payload of a JWT, or {} where there is none. Nothing here is trusted: the server checks. */
export function payload(raw: string): Claims {
  try {
    const part = (raw.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Claims;
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
  const end = typeof at === 'string' && !/^\d+$/.test(at) ? Date.parse(at) : Number(at) * 1000;
  const left = end - date;
  return left > 0 ? left : 3600_000;
}

class Trouble extends Error {
  constructor(
    readonly code: MessageCode,
    readonly where: string,
  ) {
    super(code);
  }
}

/** The token's fields in an answer: bare, or in an envelope. */
function bodyOf(text: string): Body {
  try {
    const json = Object(JSON.parse(text)) as Body & { data?: Body };
    return Object(json.token ? json : (json.data ?? json)) as Body;
  } catch {
    return {};
  }
}

interface Waiter {
  stale: string | undefined;
  resolve(token: Token): void;
  reject(error: Error): void;
}

export class TokenLife implements Tokens {
  readonly #o: TokenOptions;
  readonly #clock: TokenClock;
  readonly #watchers = new Set<(token: Token) => void>();
  readonly #carers = new Set<(health: Health) => void>();
  readonly #waiting = new Set<Waiter>();
  #token: Token | undefined;
  #ended: TokenEnded | undefined;
  #stopped = false;
  #running = false;
  #failures = 0;
  /** When the last answer with a token was asked for. */
  #fetched = -Infinity;
  #hidden: number | undefined;
  #abort: AbortController | undefined;
  #cancel: Off = () => undefined;

  constructor(o: TokenOptions, clock: TokenClock) {
    this.#o = o;
    this.#clock = clock;
  }

  start(): void {
    const { token, url } = this.#o;
    if (token) this.#take(this.#make(token, {}, this.#clock.wall(), this.#clock.now()));
    else if (url) void this.#renew();
    else this.#o.report('token-none');
  }

  get(): Promise<Token> {
    return this.#next();
  }

  renew(stale: Token): Promise<Token> {
    return this.#next(stale.raw);
  }

  /** Asks for a token now: the site says that its visitor changed. */
  refresh(): Promise<Token> {
    if (!this.#o.url) return this.#next();
    this.#ended = undefined;
    return this.#next(this.#token?.raw ?? '');
  }

  watch(fn: (token: Token) => void): Off {
    this.#watchers.add(fn);
    if (this.#token && !this.#ended) fn(this.#token);
    return () => this.#watchers.delete(fn);
  }

  health(fn: (health: Health) => void): Off {
    this.#carers.add(fn);
    fn(this.#ended ? 'ended' : this.#failures ? 'down' : 'up');
    return () => this.#carers.delete(fn);
  }

  /** The page is shown (true) or hidden. */
  visible(shown: boolean): void {
    if (!shown) this.#hidden = this.#clock.now();
    else if (this.#hidden !== undefined) {
      const long = this.#clock.now() - this.#hidden > LONG_HIDDEN;
      this.#hidden = undefined;
      if (long && this.#o.url) this.#soon();
      else if (!this.#failures) this.#plan();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#abort?.abort();
    this.#watchers.clear();
    this.#carers.clear();
    this.#release(new TokenEnded('stopped'));
  }

  #over(token: Token): boolean {
    return this.#clock.now() - token.born >= token.life;
  }

  /** Calls after so many milliseconds, or as soon as it is seen that the machine slept. */
  #wait(ms: number, fn: () => void): void {
    this.#cancel();
    if (this.#stopped) return;
    const wall = this.#clock.wall();
    const part = Math.min(Math.max(ms, 0), TICK);
    this.#cancel = this.#clock.after(part, () => {
      const slept = this.#clock.wall() - wall > part + LONG_HIDDEN;
      if (ms > part && !slept) this.#wait(ms - part, fn);
      else fn();
    });
  }

  /** A fetch as soon as the pause since the last one is over. */
  #soon(): void {
    this.#wait(this.#fetched + PAUSE - this.#clock.now(), () => void this.#renew());
  }

  #plan(): void {
    const token = this.#token;
    if (!token) return;
    const age = this.#clock.now() - token.born;
    if (!this.#o.url) {
      if (age >= token.life) this.#expire();
      else this.#wait(token.life - age, () => this.#plan());
      return;
    }
    const due = token.life < SHORT ? token.life / 2 : token.life - MARGIN;
    this.#wait(Math.max(due - age, this.#fetched + PAUSE - this.#clock.now()), () => void this.#renew());
  }

  #release(error: TokenEnded): void {
    this.#ended = error;
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
    this.#tell('ended');
  }

  #tell(health: Health): void {
    for (const fn of [...this.#carers]) fn(health);
  }

  #expire(): void {
    if (this.#ended) return;
    this.#release(new TokenEnded('the static token ran out'));
    this.#o.report('token-expired');
    this.#o.expired();
  }

  #take(token: Token): void {
    this.#token = token;
    this.#ended = undefined;
    this.#failures = 0;
    for (const waiter of [...this.#waiting]) {
      if (waiter.stale === token.raw) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(token);
    }
    for (const fn of [...this.#watchers]) fn(token);
    this.#tell('up');
    this.#o.recovered();
    this.#plan();
  }

  #make(raw: string, body: Body, date: number, born: number): Token {
    const { sub = '', anon, preview, ...claims } = payload(raw);
    return { raw, sub, anon: anon !== false, preview: preview === true, life: lifeOf(body, claims, date), born };
  }

  /** A token from the endpoint, or undefined where it said 204. */
  async #ask(url: string): Promise<Token | undefined> {
    const born = this.#clock.now();
    const controller = (this.#abort = new AbortController());
    const cancel = this.#clock.after(PATIENCE, () => controller.abort());
    try {
      const init: RequestInit = { cache: 'no-store', credentials: this.#o.credentials, signal: controller.signal };
      const answer = await fetch(url, init).catch(() => {
        throw new Trouble('token-unreachable', url);
      });
      if (answer.status === 204) return undefined;
      const html = /html/.test(answer.headers.get('content-type') ?? '');
      if (html && (answer.ok || answer.redirected)) throw new Trouble('token-html', answer.url || url);
      if (answer.status !== 200) throw new Trouble('token-status', `${answer.status} from ${url}`);
      const body = bodyOf(await answer.text().catch(() => ''));
      if (typeof body.token !== 'string' || !body.token) throw new Trouble('token-not-json', url);
      this.#fetched = born;
      return this.#make(body.token, body, Date.parse(answer.headers.get('date') ?? '') || this.#clock.wall(), born);
    } finally {
      cancel();
    }
  }

  async #renew(): Promise<void> {
    const { url } = this.#o;
    if (!url || this.#stopped || this.#running) return;
    this.#running = true;
    this.#cancel();
    const token = await this.#ask(url).catch((error: unknown) => error as Trouble);
    this.#running = false;
    if (this.#stopped) return;
    if (token instanceof Error) return this.#failed(token);
    this.#o.none(!token);
    if (!token) this.#release(new TokenEnded('no chat for this visitor'));
    else if (token.raw === this.#token?.raw) this.#failed(new Trouble('token-not-newer', url));
    else this.#take(token);
  }

  #failed({ code, where }: Trouble): void {
    const ceiling = Math.min(60_000, 1000 * 2 ** this.#failures++);
    if (!this.#token || this.#over(this.#token) || this.#waiting.size) this.#tell('down');
    this.#o.report(code, where);
    this.#wait(Math.max(1000, ceiling * (0.5 + this.#clock.chance() / 2)), () => void this.#renew());
  }

  #next(stale?: string): Promise<Token> {
    const token = this.#token;
    if (token && token.raw !== stale && !this.#over(token)) return Promise.resolve(token);
    if (this.#ended || this.#stopped || !this.#o.url) return Promise.reject(this.#ended ?? new TokenEnded('no token'));
    return new Promise((resolve, reject) => {
      this.#waiting.add({ stale, resolve, reject });
      if (!this.#running && !this.#failures) this.#soon();
    });
  }
}
