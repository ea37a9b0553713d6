/** Says in the console what is wrong, where, and what to do; each thing once until it changed. */
import { loaderMessages, type MessageCode, type MessageSpec } from '../table/messages.ts';
import { load } from './chunk.ts';

declare const __MESSAGES__: string;

const said = new Set<string>();

/** `server` is the address of ours, "" while none is known; `assets` the folder of its files. */
export async function report(code: MessageCode, where = '', server = '', assets = ''): Promise<void> {
  const key = code + where;
  if (said.has(key)) return;
  said.add(key);
  let table: Partial<Record<string, MessageSpec>> = loaderMessages;
  if (!table[code] && assets) table = await load<{ messages: typeof table }>(assets + __MESSAGES__).then((module) => module.messages, () => table);
  const { what = 'See the reference', fix = '', level = 'error' }: Partial<MessageSpec> = table[code] ?? {};
  console[level](`scaibot[${code}]: ${what}${where && ` (${where})`}. ${fix && `${fix}. `}${server}/docs/reference/widget#${code}`);
}

/** It works again: should it break once more, that is news. */
export function settled(code: string): void {
  for (const key of said) if (key.startsWith(code)) said.delete(key);
}
