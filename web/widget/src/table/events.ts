/** Every event of `ScaiBot.on`, once. */
import type { Citation, ConversationStatus } from '../../../protocol/wire.ts';

export interface EventMap {
  ready: { botId: string };
  open: { botId: string };
  close: { botId: string };
  send: { botId: string; text: string };
  message: {
    botId: string;
    messageId: string;
    role: 'assistant' | 'agent';
    text: string;
    citations: Citation[];
    answered: boolean;
  };
  escalation: { botId: string; ruleId: string; action: string; message: string };
  status: { botId: string; status: ConversationStatus };
  rating: { botId: string; messageId: string; rating: 'up' | 'down' | null };
  unread: { botId: string; count: number };
  identity: { botId: string; verified: boolean };
  tokenExpired: { botId: string };
  error: { botId: string; code: string; message: string };
  destroy: { botId: string };
}

export type EventName = keyof EventMap;

export const events: Record<EventName, { detail: string; doc?: string }> = {
  ready: { detail: '', doc: 'The panel is loaded and its conversation restored.' },
  open: { detail: '', doc: 'The panel was opened.' },
  close: { detail: '', doc: 'The panel was closed.' },
  send: { detail: 'text', doc: 'The visitor’s message is stored on the server.' },
  message: { detail: 'messageId, role, text, citations, answered', doc: 'An answer is complete.' },
  escalation: { detail: 'ruleId, action, message', doc: 'A rule called for a person.' },
  status: { detail: 'status', doc: 'Who answers changed: `open`, `waiting`, `human`, `closed`.' },
  rating: { detail: 'messageId, rating', doc: 'The visitor rated an answer.' },
  unread: { detail: 'count', doc: 'Answers that came while the panel was closed.' },
  identity: { detail: 'verified', doc: 'Another visitor, by a new token. What was shown of the old one is gone.' },
  tokenExpired: { detail: '', doc: 'A static token ran out. Call `init` with a new one.' },
  error: { detail: 'code, message', doc: 'A message could not be answered.' },
  destroy: { detail: '', doc: 'The widget is gone from the page.' },
};
