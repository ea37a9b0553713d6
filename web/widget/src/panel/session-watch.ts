/** Who is told what changes in a session. */
import type { Entry } from './entry.ts';

export interface SessionWatch {
  /** The state, who answers, or whether an answer is under way. */
  state(): void;
  /** An entry is new or changed. */
  entry(entry: Entry): void;
  removed(entry: Entry): void;
  /** All entries are others now. */
  reset(): void;
  /** The draft that was kept, now that it may be shown. */
  draft(text: string): void;
}
