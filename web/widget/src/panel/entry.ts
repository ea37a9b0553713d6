/** One thing said in the conversation, as the panel shows it. */
import type { Agent, Citation, Message, MessageStatus, Rating } from '../../../protocol/wire.ts';

export interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  /** Seconds. */
  retryAfter?: number | undefined;
}

export interface Entry {
  /** Stays the same while the panel lives. */
  readonly key: string;
  readonly role: Message['role'];
  text: string;
  status: MessageStatus | 'queued' | 'sending';
  citations: Citation[];
  rating: Rating | undefined;
  /** The server's id, once it has one. */
  messageId: string | undefined;
  /** Ours, for a message of the visitor. */
  clientId: string | undefined;
  agent: Agent | undefined;
  failure: Failure | undefined;
  /** What a rule adds to the answer. */
  note: string;
}

export function entry(role: Entry['role'], key: string, fields: Partial<Entry> = {}): Entry {
  return {
    key,
    role,
    text: '',
    status: 'complete',
    citations: [],
    rating: undefined,
    messageId: undefined,
    clientId: undefined,
    agent: undefined,
    failure: undefined,
    note: '',
    ...fields,
  };
}

export function fromMessage(message: Message): Entry {
  const { error } = message;
  return entry(message.role, message.id, {
    text: message.content,
    status: message.status,
    citations: message.citations ?? [],
    rating: message.rating || undefined,
    messageId: message.id,
    agent: message.agent ?? undefined,
    failure: error ? { code: error.code, message: error.message, retryable: false } : undefined,
  });
}
