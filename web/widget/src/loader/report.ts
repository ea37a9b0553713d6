/** Says in the console what is wrong, where, and what to do. The words are loaded with the first message. */
import type { MessageCode } from '../table/messages.ts';
import { load } from './chunk.ts';
import type { Server } from './server.ts';

declare const __MESSAGES__: string;

export function report(code: MessageCode, where: string, { url, assets }: Server): void {
  load<typeof import('../messages.ts')>(assets + __MESSAGES__).then(
    ({ print }) => print(code, where, url),
    // Without its words a message still says which it is and where.
    () => console.error(`scaibot[${code}]: ${where}`),
  );
}
