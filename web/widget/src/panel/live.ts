/** While a person may answer: the long-lived stream of what he says, resumed by itself after a cut. Loaded on demand. */
import type { Frame } from '../../../protocol/sse.ts';
import type { Message, StateEvent } from '../../../protocol/wire.ts';

/** What it needs and whom it tells. Handed in, so that this file shares no code with the panel's. */
export interface LiveDoors {
  open: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>;
  read: (response: Response, lastId: string, signal: AbortSignal, take: (frame: Frame) => boolean) => Promise<void>;
  backoff: (attempt: number, signal: AbortSignal) => Promise<void>;
  /** The host said that there is nothing to listen to. */
  hopeless: (error: unknown) => boolean;
  message: (message: Message) => void;
  typing: (who: string, on: boolean) => void;
  state: (state: StateEvent) => void;
  turn: (turnId: string) => void;
}

export class Live {
  readonly #doors: LiveDoors;
  #controller: AbortController | undefined;
  #lastId = '';

  constructor(doors: LiveDoors) {
    this.#doors = doors;
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
    const { open, read, backoff, hopeless } = this.#doors;
    for (let attempt = 0; ; attempt++) {
      try {
        const headers: Record<string, string> = { Accept: 'text/event-stream' };
        if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
        await read(await open(headers, signal), this.#lastId, signal, (frame) => {
          attempt = 0;
          if (frame.id) this.#lastId = frame.id;
          this.#take(frame);
          return false;
        });
      } catch (error) {
        if (signal.aborted || hopeless(error)) return;
      }
      await backoff(attempt, signal);
    }
  }

  #take({ event, data }: Frame): void {
    let fields: unknown;
    try {
      fields = JSON.parse(data);
    } catch {
      return;
    }
    const { message, typing, state, turn } = this.#doors;
    if (event === 'message') message((fields as { message: Message }).message);
    else if (event === 'typing') typing((fields as { who: string }).who, (fields as { on: boolean }).on);
    else if (event === 'state') state(fields as StateEvent);
    else if (event === 'turn') turn((fields as { turn_id: string }).turn_id);
  }
}
