/** Tokens for those who need one now: hands out what the feed has, waits for what it will have. */
import type { Off, Token, TokenFeed } from '../seam.ts';

/** No token will come any more by itself. */
export class TokenEnded extends Error {}

export class Tokens {
  readonly #feed: TokenFeed;
  readonly #now: () => number;

  /** `now` is the monotonic clock that the feed counts on. */
  constructor(feed: TokenFeed, now: () => number) {
    this.#feed = feed;
    this.#now = now;
  }

  /** A token that lives, other than `stale`; waits while the endpoint is down. @throws TokenEnded, or the signal's reason. */
  async get(signal?: AbortSignal, stale?: Token): Promise<Token> {
    const feed = this.#feed;
    for (let asked = false; ; asked = true) {
      signal?.throwIfAborted();
      const { token } = feed;
      if (feed.ended) throw new TokenEnded('no token');
      if (token && token.raw !== stale?.raw && this.#now() - token.born < token.life) return token;
      if (!asked && !feed.refresh()) throw new TokenEnded('no other token');
      const news = new Promise<void>((resolve) => {
        const done = (): void => {
          off();
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const off = feed.listen(done);
        signal?.addEventListener('abort', done);
      });
      await news;
    }
  }

  /** Calls with each new token, at once with the one that there is. */
  watch(fn: (token: Token) => void): Off {
    let last: Token | undefined;
    const look = (): void => {
      const { token, ended } = this.#feed;
      if (!token || ended || token === last) return;
      last = token;
      fn(token);
    };
    look();
    return this.#feed.listen(look);
  }
}
