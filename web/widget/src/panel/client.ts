/**
 * Calls to the chat API. Every call carries the token and, for an anonymous visitor, the key of this browser; a token that
 * the host calls over is renewed once and the call made again, exactly once.
 */
import type { Envelope } from '../../../protocol/wire.ts';
import type { Token } from '../seam.ts';
import { TokenEnded, type Tokens } from './tokens.ts';

/** The host said no. `code` is for machines, `message` for people. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    /** Seconds, where the host said when to come back. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }
}

/** The host could not be reached, or went away in the middle. */
export class LinkError extends Error {}

const stale = new Set(['EMBED_TOKEN_EXPIRED', 'EMBED_TOKEN_REVOKED', 'AUTH_TOKEN_INVALID']);

export interface Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface ClientOptions {
  api: string;
  tokens: Tokens;
  /** The key of an anonymous visitor, if there is one. */
  key(): string | undefined;
  /** The host took a call under this token. */
  taken(token: Token): void;
  /** The host refused a token, and there is no other: it was fresh, or it was the only one. */
  tokenRefused(code: string): void;
}

export class Client {
  readonly #o: ClientOptions;

  constructor(o: ClientOptions) {
    this.#o = o;
  }

  /** @throws ApiError, LinkError, TokenEnded, or an AbortError of the signal. */
  async json<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.open(path, call);
    if (response.status === 204) return undefined as T;
    const body = (await response.json().catch(() => undefined)) as Envelope<T> | undefined;
    if (body?.status !== 'ok') throw new LinkError('the answer is not ours');
    return body.data;
  }

  /** The response of a call that succeeded; its body may be a stream. */
  async open(path: string, call: Call): Promise<Response> {
    const token = await this.#o.tokens.get(call.signal);
    let code = '';
    try {
      return await this.#once(path, call, token);
    } catch (error) {
      if (!(error instanceof ApiError && stale.has(error.code))) throw error;
      ({ code } = error);
    }
    const fresh = await this.#o.tokens.get(call.signal, token).catch((error: unknown) => {
      if (error instanceof TokenEnded) this.#o.tokenRefused(code);
      throw error;
    });
    try {
      return await this.#once(path, call, fresh);
    } catch (error) {
      if (error instanceof ApiError && stale.has(error.code)) this.#o.tokenRefused(error.code);
      throw error;
    }
  }

  async #once(path: string, { method = 'GET', body, headers, signal }: Call, token: Token): Promise<Response> {
    const key = this.#o.key();
    const init: RequestInit = {
      method,
      headers: {
        Authorization: `Bearer ${token.raw}`,
        ...(key && { 'X-ScaiBot-Visitor': key }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    };
    const response = await fetch(`${this.#o.api}${path}`, init).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new LinkError('the host did not answer');
    });
    if (!response.ok) throw await failure(response);
    this.#o.taken(token);
    return response;
  }
}

async function failure(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => undefined)) as Envelope<never> | undefined;
  const after = Number(response.headers.get('retry-after'));
  if (body?.status === 'error') {
    const { code, message, retry_after } = body.error;
    return new ApiError(code, message, response.status, retry_after ?? (after || undefined));
  }
  // Not our envelope: a proxy on the way, which may well let the next try through.
  if (response.status >= 500 || response.status === 429) return new LinkError(`status ${response.status}`);
  return new ApiError('UNKNOWN', `The host answered ${response.status}.`, response.status, undefined);
}
