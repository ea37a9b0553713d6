/** The words of the console messages. Loaded when the first is needed. */
import { messages, type MessageSpec } from './table/messages.ts';

const MINUTE = 60_000;
const said = new Map<string, number>();

/** Each message at most once in ten minutes. `server` is where the reference is. An unknown code comes from another release. */
export function print(code: string, place: string, server: string, now = performance.now()): void {
  const where = place.slice(0, 300).replace(/-src-(?:elem|attr)\b/, '-src');
  const key = code + where;
  const last = said.get(key);
  if (last !== undefined && now - last < 10 * MINUTE) return;
  said.set(key, now);
  const table: Partial<Record<string, MessageSpec>> = messages;
  const { what, fix, level } = table[code] ?? { what: 'Something is wrong', fix: 'See the reference' };
  console[level ?? 'error'](`scaibot[${code}]: ${what} (${where}). ${fix}. ${server}/docs/reference/widget#${code}`);
}
