/** While a person may answer: the long-lived stream of what he says, resumed by itself after a cut. */
import type { Message, StateEvent } from '../../../protocol/wire.ts';
import { ApiError, type Client } from './client.ts';
import { backoff, read, type Clock } from './stream.ts';

export interface LiveWatch {
  message(message: Message): void;
  typing(who: string, on: boolean): void;
  state(state: StateEvent): void;
  turn(turnId: string): void;
}

export class Live {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #watch: LiveWatch;
  #controller: AbortController | undefined;
  #lastId = '';

  constructor(client: Client, clock: Clock, watch: LiveWatch) {
    this.#client = client;
    this.#clock = clock;
    this.#watch = watch;
  }

  /** Listens (true) or no longer (false); the same again changes nothing. */
  listen(on: boolean): void {
    if (on === (this.#controller !== undefined)) return;
    this.#controller?.abort();
    this.#controller = on ? new AbortController() : undefined;
    if (this.#controller) void this.#run(this.#controller.signal).catch(() => undefined);
    else this.#lastId = '';
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const headers: Record<string, string> = { Accept: 'text/event-stream' };
        if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
        const response = await this.#client.open('/chat/events', { headers, signal });
        await read(response, this.#lastId, this.#clock, signal, (frame) => {
          attempt = 0;
          if (frame.id) this.#lastId = frame.id;
          this.#take(frame.event, frame.data);
          return false;
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) return; // nothing to listen to
      }
      await backoff(attempt, this.#clock, signal);
    }
  }

  #take(name: string, data: string): void {
    let fields: unknown;
    try {
      fields = JSON.parse(data);
    } catch {
      return;
    }
    if (name === 'message') this.#watch.message((fields as { message: Message }).message);
    else if (name === 'typing') {
      const { who, on } = fields as { who: string; on: boolean };
      this.#watch.typing(who, on);
    } else if (name === 'state') this.#watch.state(fields as StateEvent);
    else if (name === 'turn') this.#watch.turn((fields as { turn_id: string }).turn_id);
  }
}
