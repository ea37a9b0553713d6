/**
 * Follows one turn to its end, whatever happens to the link: sent with an id of its own so that sending again is harmless,
 * read as it comes, resumed from the last event after a cut.
 */
import { emptyAnswer, fold, type Answer } from '../../../protocol/answer.ts';
import { eventOf } from '../../../protocol/events.ts';
import type { Frame } from '../../../protocol/sse.ts';
import type { ChatRequest, StreamEvent } from '../../../protocol/wire.ts';
import { ApiError, LinkError, type Client } from './client.ts';
import { backoff, read, type Clock } from './stream.ts';

export interface TurnWatch {
  /** The turn said something; `answer` is all of it so far. */
  event(event: StreamEvent, answer: Answer): void;
  /** The link broke (true), or holds again (false). */
  cut(cut: boolean): void;
}

export type Start = { request: ChatRequest } | { turnId: string };

const SERVER_TRIES = 6; // for an answer that says "I am broken"

export class Turn {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #watch: TurnWatch;
  readonly #signal: AbortSignal;
  #answer: Answer = emptyAnswer();
  #lastId = '';
  #turnId: string | undefined;
  #attempt = 0;
  #cut = false;

  constructor(client: Client, clock: Clock, watch: TurnWatch, signal: AbortSignal) {
    this.#client = client;
    this.#clock = clock;
    this.#watch = watch;
    this.#signal = signal;
  }

  /**
   * Resolves with the whole answer once the stream said its last word.
   * @throws ApiError where the host refuses, TokenEnded where no token will come, AbortError of the signal.
   */
  async run(start: Start): Promise<Answer> {
    if ('turnId' in start) this.#turnId = start.turnId;
    for (let broken = 0; ;) {
      try {
        const response = await this.#open(start);
        await read(response, this.#lastId, this.#clock, this.#signal, (frame) => this.#take(frame));
        return this.#answer;
      } catch (error) {
        if (this.#signal.aborted) throw error;
        const server = error instanceof ApiError && error.status >= 500 && ++broken < SERVER_TRIES;
        if (!(error instanceof LinkError) && !server) throw error;
      }
      if (!this.#cut) this.#watch.cut((this.#cut = true));
      await backoff(this.#attempt++, this.#clock, this.#signal);
    }
  }

  #open(start: Start): Promise<Response> {
    const signal = this.#signal;
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (!this.#turnId && 'request' in start)
      return this.#client.open('/chat', { method: 'POST', body: start.request, headers, signal });
    if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
    return this.#client.open(`/chat/turns/${encodeURIComponent(this.#turnId ?? '')}`, { headers, signal });
  }

  #take(frame: Frame): boolean {
    let event: StreamEvent | undefined;
    try {
      event = eventOf(frame);
    } catch {
      this.#lastId = ''; // damaged on the way: read it anew from the start
      throw new LinkError('the stream is damaged');
    }
    if (frame.id) this.#lastId = frame.id;
    this.#attempt = 0;
    if (!event) return false;
    if (event.type === 'turn') this.#turnId = event.turn.turn_id;
    this.#answer = fold(this.#answer, event);
    if (this.#cut) this.#watch.cut((this.#cut = false));
    this.#watch.event(event, this.#answer);
    return this.#answer.done;
  }
}
