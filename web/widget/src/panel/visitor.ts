/**
 * Who the visitor is, and what this browser keeps of him: nothing before his first message. A token with an identity is
 * that person on every device; an anonymous one is nobody, so the browser makes a key of its own.
 */
import type { Token } from '../seam.ts';

export type History = 'local' | 'session' | 'none';

export interface Waiting {
  /** client_message_id: sending twice is one message. */
  id: string;
  text: string;
  /** The tab that will send it. */
  tab: string;
}

interface Kept {
  v: 1;
  sub: string;
  anon: boolean;
  key?: string | undefined;
  /** Tells tabs of the same visitor apart from others without telling the key. */
  mark: string;
  used: number;
  draft?: string | undefined;
  outbox?: Waiting[] | undefined;
}

/** What a new token means beside the one before. */
export type Change = 'same' | 'joined' | 'changed';

const LIFE = 30 * 24 * 3600_000;

/** 256 random bits, base64url. Exists on plain HTTP too, unlike randomUUID. */
export function randomKey(bytes = 32): string {
  const raw = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...raw))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}

/** A version 4 UUID, also where crypto.randomUUID does not exist. */
export function uuid(): string {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40;
  raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...raw].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export class Visitor {
  readonly #name: string;
  readonly #history: History;
  readonly #now: () => number;
  #kept: Kept | undefined;
  #who: { sub: string; anon: boolean } | undefined;
  /** The key was sent along with an identity and is to be forgotten once the host took it. */
  #joining = false;

  constructor(botId: string, history: History, now: () => number) {
    this.#name = `scaibot:${botId}`;
    this.#history = history;
    this.#now = now;
  }

  /** Compares a new token with what is known. Only after this may anything that was kept be shown. */
  meet(token: Token): Change {
    const kept = this.#load();
    const before = this.#who ?? kept;
    this.#who = { sub: token.sub, anon: token.anon };
    if (!before) return 'same';
    if (before.anon) {
      if (token.anon) return this.#keepAs('same');
      this.#joining = this.#kept?.key !== undefined;
      return this.#keepAs('joined');
    }
    if (!token.anon && token.sub === before.sub) return this.#keepAs('same');
    this.forget();
    return 'changed';
  }

  get verified(): boolean {
    return this.#who?.anon === false;
  }

  /** For `X-ScaiBot-Visitor`. */
  get key(): string | undefined {
    return this.#who?.anon || this.#joining ? this.#kept?.key : undefined;
  }

  /** The mark by which tabs of one visitor know each other; undefined while nothing was said. */
  get mark(): string | undefined {
    return this.#kept?.mark;
  }

  /** Whether another tab's mark is ours; a tab that said nothing yet takes over what the other one began. */
  is(mark: string): boolean {
    this.#takeOver();
    return this.#kept?.mark === mark;
  }

  /** There may be a conversation to restore. */
  get known(): boolean {
    return this.verified ? this.#history !== 'none' : this.#kept?.key !== undefined;
  }

  /** Called before the first message is sent: from here on something is kept. */
  begin(): void {
    if (!this.#who) return;
    this.#takeOver();
    this.#kept ??= { v: 1, ...this.#who, mark: randomKey(9), used: this.#now() };
    if (this.#who.anon) this.#kept.key ??= randomKey();
    this.#save();
  }

  /** The host took a call: a key that came with an identity has done its work. */
  taken(token: Token): void {
    if (!this.#joining || token.anon) return;
    this.#joining = false;
    if (this.#kept) delete this.#kept.key;
    this.#save();
  }

  get draft(): string {
    return this.#kept?.draft ?? '';
  }

  set draft(text: string) {
    if (!this.#kept || this.draft === text) return;
    this.#kept.draft = text || undefined;
    this.#save();
  }

  get outbox(): readonly Waiting[] {
    this.#reload();
    return this.#kept?.outbox ?? [];
  }

  wait(message: Waiting): void {
    this.#reload();
    if (!this.#kept) return;
    this.#kept.outbox = [...(this.#kept.outbox ?? []).filter((other) => other.id !== message.id), message];
    this.#save();
  }

  sent(id: string): void {
    this.#reload();
    if (!this.#kept?.outbox) return;
    this.#kept.outbox = this.#kept.outbox.filter((other) => other.id !== id);
    this.#save();
  }

  /** Keeps the bot's face for the next page's launcher, once there is something to keep at all. */
  keepInfo(info: object): void {
    if (this.#kept) this.#use((storage) => storage.setItem(this.#infoName, JSON.stringify(info)));
  }

  /** Drops all that this browser keeps of the visitor. */
  forget(): void {
    this.#kept = undefined;
    this.#joining = false;
    this.#use((storage) => {
      storage.removeItem(this.#name);
      storage.removeItem(this.#infoName);
    });
  }

  get #infoName(): string {
    return this.#name.replace(':', ':info:');
  }

  #keepAs(change: Change): Change {
    if (this.#kept && this.#who) {
      Object.assign(this.#kept, this.#who);
      this.#save();
    }
    return change;
  }

  #takeOver(): void {
    const there = this.#kept ? undefined : this.#read();
    if (there && there.anon === this.#who?.anon && (there.anon || there.sub === this.#who.sub)) this.#kept = there;
  }

  #load(): Kept | undefined {
    if (this.#kept) return this.#kept;
    return (this.#kept = this.#read());
  }

  /** Other tabs write the same record: their outbox counts too. */
  #reload(): void {
    const there = this.#read();
    if (there && there.mark === this.#kept?.mark) this.#kept.outbox = there.outbox;
  }

  #read(): Kept | undefined {
    let kept: Kept | undefined;
    this.#use((storage) => {
      try {
        kept = JSON.parse(storage.getItem(this.#name) ?? 'null') as Kept;
      } catch {
        storage.removeItem(this.#name); // damaged: better gone than a chat that will not start
      }
    });
    if (!kept || kept.v !== 1 || typeof kept.mark !== 'string' || !(this.#now() - kept.used < LIFE)) return undefined;
    return kept;
  }

  #save(): void {
    const kept = this.#kept;
    if (!kept) return;
    kept.used = this.#now();
    this.#use((storage) => storage.setItem(this.#name, JSON.stringify(kept)));
  }

  #use(fn: (storage: Storage) => void): void {
    if (this.#history === 'none') return;
    try {
      fn(this.#history === 'session' ? sessionStorage : localStorage);
    } catch {
      // closed to us, or full: the conversation lives as long as the page
    }
  }
}
