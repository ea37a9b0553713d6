/** From a frame of the stream to the event it carries. */
import type {
  Citation,
  EscalationEvent,
  FinishEvent,
  StateEvent,
  StreamEvent,
  TurnEvent,
  Usage,
  WireError,
} from './wire.ts';
import type { Frame } from './sse.ts';

type Fields = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** Readers of named events. A name that is not here is ignored by `eventOf`. */
const named: Record<string, (data: Fields) => StreamEvent> = {
  turn: (d) => ({ type: 'turn', turn: d as unknown as TurnEvent }),
  citations: (d) => ({ type: 'citations', citations: Array.isArray(d.citations) ? (d.citations as Citation[]) : [] }),
  escalation: (d) => ({ type: 'escalation', escalation: d as unknown as EscalationEvent }),
  replace: (d) => ({ type: 'replace', content: text(d.content) }),
  resync: (d) => ({ type: 'resync', content: text(d.content) }),
  state: (d) => ({ type: 'state', state: d as unknown as StateEvent }),
  prompt: (d) => ({ type: 'prompt', prompt: d.prompt }),
  usage: (d) => ({ type: 'usage', usage: d as unknown as Usage }),
  error: (d) => ({ type: 'error', error: fields(d.error) as unknown as WireError }),
  finish: (d) => ({ type: 'finish', finish: d as unknown as FinishEvent }),
};

/**
 * What a frame says, or undefined where it says nothing that we know: another release's event, an empty chunk.
 * @throws SyntaxError where the data is not JSON; the stream is then not ours, or damaged, and must be read anew.
 */
export function eventOf(frame: Frame): StreamEvent | undefined {
  if (frame.event === '' && frame.data === '[DONE]') return { type: 'done' };
  if (frame.event !== '' && frame.event !== 'message') {
    const read = Object.hasOwn(named, frame.event) ? named[frame.event] : undefined;
    return read?.(fields(JSON.parse(frame.data)));
  }
  const chunk = fields(JSON.parse(frame.data));
  const choice = fields(Array.isArray(chunk.choices) ? chunk.choices[0] : undefined);
  const content = text(fields(choice.delta).content);
  return content === '' ? undefined : { type: 'text', text: content };
}
