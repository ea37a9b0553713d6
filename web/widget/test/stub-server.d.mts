import type { ConversationStatus } from '../../protocol/wire.ts';

export interface StubControl {
  ttl: number;
  token: 'ok' | 'down' | '500' | 'html' | 'junk' | '204' | 'same' | 'hang';
  visitor: string | null;
  origin: 'ok' | 'refused';
  bot: 'active' | 'draft' | 'missing';
  info: Record<string, unknown>;
  cutAfter: number;
  pace: number;
  wait?: number;
  refuse: { status?: number; code: string; message?: string; extra?: Record<string, unknown> }[];
  dead: boolean;
  css?: string;
  js?: string;
  page?: ((stub: Stub, url: URL) => string) | undefined;
}

export interface Logged {
  site?: boolean;
  method: string;
  path: string;
  headers: Record<string, string | undefined>;
  body?: Record<string, unknown>;
  at: number;
}

export interface Stub {
  control: StubControl;
  log: Logged[];
  mint(): { token: string; expires_at: string; ttl_seconds: number };
  conversations: Map<
    string,
    {
      id: string;
      status: ConversationStatus;
      messages: { id: string; role: string; content: string; rating?: string | null }[];
    }
  >;
  spoil(how: 'expired' | 'revoked'): void;
  live(event: string, data: Record<string, unknown>): void;
  listening(): number;
  chats(): Logged[];
  site: string;
  host: string;
  close(): Promise<void>;
}

export const policies: Record<string, (host: string) => string>;
export function startStub(options?: { sitePort?: number; hostPort?: number }): Promise<Stub>;
