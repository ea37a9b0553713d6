/** Brings the listening to people in when it is first needed, with what it needs of the panel. */
import { ApiError, type Client } from './client.ts';
import type { Live, LiveDoors } from './live.ts';
import { backoff, read, type Clock } from './stream.ts';

export type LiveWatch = Pick<LiveDoors, 'message' | 'typing' | 'state' | 'turn'>;

export async function loadLive(client: Client, clock: Clock, watch: LiveWatch): Promise<Live> {
  const { Live } = await import('./live.ts');
  return new Live({
    ...watch,
    open: (headers, signal) => client.open('/chat/events', { headers, signal }),
    read: (response, lastId, signal, take) => read(response, lastId, clock, signal, take),
    backoff: (attempt, signal) => backoff(attempt, clock, signal),
    hopeless: (error) => error instanceof ApiError && error.status < 500 && error.status !== 429,
  });
}
