/** The words of the console messages. Loaded when the first is needed. */
import { messages, type MessageSpec } from './table/messages.ts';

/** `server` is where the reference is. An unknown code comes from a loader of another release. */
export function print(code: string, where: string, server: string): void {
  const { what, fix, level }: MessageSpec = messages[code as keyof typeof messages] ?? { what: 'Something is wrong', fix: 'See the reference' };
  console[level ?? 'error'](`scaibot[${code}]: ${what} (${where}). ${fix}. ${server}/docs/reference/widget#${code}`);
}
