/** Says in the console what is wrong, where, and what to do; each thing once until it changed. */
import type { MessageCode } from '../table/messages.ts';
import { load } from './chunk.ts';
import type { Server } from './server.ts';

declare const __MESSAGES__: string;

const said = new Set<string>();

export function report(code: MessageCode, where: string, { url, assets }: Server): void {
  const key = code + where;
  if (said.has(key)) return;
  said.add(key);
  load<typeof import('../messages.ts')>(assets + __MESSAGES__).then(
    ({ print }) => print(code, where, url),
    // Without its words a message still says which it is and where.
    () => console.error(`scaibot[${code}]: ${where}`),
  );
}

/** It works again: should it break once more, that is news. */
export function settled(code: string): void {
  for (const key of said) if (key.startsWith(code)) said.delete(key);
}
