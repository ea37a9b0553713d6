/** Keeps the tabs of one visitor in step, where the browser has the means; else each is for itself. */
import { randomKey } from './visitor.ts';

export type News =
  /** A turn began; the others join it. */
  | { kind: 'turn'; mark: string; turnId: string }
  /** A fresh conversation was begun, or the old one is gone. */
  | { kind: 'fresh'; mark: string; conversationId?: string | null }
  /** The visitor is another one now. */
  | { kind: 'identity'; mark: string };

export class Tabs {
  readonly id = randomKey(9);
  readonly #channel: BroadcastChannel | undefined;
  readonly #name: string;
  readonly #closing = new AbortController();

  constructor(name: string, alone: boolean, hear: (news: News) => void) {
    this.#name = name;
    if (alone || typeof BroadcastChannel === 'undefined') return;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: MessageEvent<News>) => hear(event.data);
    // Held as long as this tab lives, so that the others can tell whether it does.
    const { signal } = this.#closing;
    void this.#locks
      ?.request(
        this.#lock(this.id),
        { signal },
        () => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      )
      .catch(() => undefined);
  }

  tell(news: News): void {
    this.#channel?.postMessage(news);
  }

  /** Whether a tab is gone, so that its unsent messages are ours to send. */
  async gone(tab: string): Promise<boolean> {
    if (tab === this.id) return true;
    if (!this.#locks) return true; // cannot be told; sending twice is one message
    return this.#locks.request(this.#lock(tab), { ifAvailable: true }, (lock) => lock !== null);
  }

  close(): void {
    this.#closing.abort();
    this.#channel?.close();
  }

  get #locks(): LockManager | undefined {
    return (navigator as { locks?: LockManager }).locks;
  }

  #lock(tab: string): string {
    return `${this.#name}:tab:${tab}`;
  }
}
