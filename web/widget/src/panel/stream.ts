/** Reads a stream of events until it ends or falls silent. */
import { SseDecoder, type Frame } from '../../../protocol/sse.ts';
import { LinkError } from './client.ts';

export interface Clock {
  /** Calls after so many milliseconds, unless taken back. */
  after(ms: number, fn: () => void): () => void;
  /** 0–1. */
  chance(): number;
}

const SILENCE = 40_000; // the host sends a heartbeat every 15 s
const BACKOFF = [500, 30_000] as const;

/** Waits for a random time that grows with each failure, or until the browser is online again. */
export function backoff(attempt: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const ceiling = Math.min(BACKOFF[1], BACKOFF[0] * 2 ** attempt);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      cancel();
      window.removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const cancel = clock.after(Math.max(250, ceiling * clock.chance()), done);
    window.addEventListener('online', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/**
 * Calls `take` with each frame; it returns true for the last one.
 * @throws LinkError where the stream was cut, or said nothing for 40 seconds.
 */
export async function read(
  response: Response,
  lastId: string,
  clock: Clock,
  signal: AbortSignal,
  take: (frame: Frame) => boolean,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) throw new LinkError('no stream');
  const decoder = new SseDecoder(lastId);
  let cancel = (): void => undefined;
  try {
    for (;;) {
      const silence = new Promise<never>((_, reject) => {
        cancel = clock.after(SILENCE, () => reject(new LinkError('silence')));
      });
      const part = await Promise.race([reader.read(), silence]).catch((error: unknown) => {
        throw signal.aborted ? error : new LinkError('cut');
      });
      cancel();
      for (const frame of part.value ? decoder.push(part.value) : decoder.flush()) if (take(frame)) return;
      if (part.done) throw new LinkError('ended early');
    }
  } finally {
    cancel();
    void reader.cancel().catch(() => undefined);
  }
}
