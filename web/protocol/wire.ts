/**
 * The words spoken on /v1/modules/scaibot/chat: what a turn's stream carries and what the JSON calls answer.
 * A reader ignores fields and events that it does not know, so that neighbouring releases work together.
 */

/** A source behind a number in the answer's text. */
export interface Citation {
  n: number;
  document_id: string;
  title: string;
  url: string;
  heading: string;
  quote: string;
  passage_id: string;
}

export type ConversationStatus = 'open' | 'waiting' | 'human' | 'closed';

export interface Agent {
  name: string;
  avatar?: string | null;
}

/** First event of a turn: the visitor's message is safely stored. */
export interface TurnEvent {
  turn_id: string;
  conversation_id: string;
  message_id: string;
  reply_id: string;
}

/** Who may answer next. */
export interface StateEvent {
  status: ConversationStatus;
  agent?: Agent | null;
  position?: number | null;
  wait_seconds?: number | null;
}

export interface EscalationEvent {
  rule_id: string;
  action: string;
  message: string;
  mode: 'replace' | 'append';
}

export interface WireError {
  code: string;
  message: string;
  retryable?: boolean;
}

/** The turn is over and stored. `answered` is false where the bot said that it does not know. */
export interface FinishEvent {
  finish_reason: string;
  answered: boolean;
  confidence: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  model: string;
}

/** One thing that a turn's stream says, in the order it was said. */
export type StreamEvent =
  | { type: 'turn'; turn: TurnEvent }
  | { type: 'text'; text: string }
  | { type: 'citations'; citations: Citation[] }
  | { type: 'escalation'; escalation: EscalationEvent }
  | { type: 'replace'; content: string }
  | { type: 'resync'; content: string }
  | { type: 'state'; state: StateEvent }
  | { type: 'prompt'; prompt: unknown }
  | { type: 'usage'; usage: Usage }
  | { type: 'error'; error: WireError }
  | { type: 'finish'; finish: FinishEvent }
  | { type: 'done' };

export type MessageStatus = 'complete' | 'streaming' | 'stopped' | 'interrupted' | 'failed' | 'withdrawn';

/** A message as a visitor sees it. */
export interface Message {
  id: string;
  turn_id?: string | null;
  role: 'user' | 'assistant' | 'agent' | 'system';
  content: string;
  status: MessageStatus;
  citations?: Citation[] | null;
  rating?: Rating | '' | null;
  error?: WireError | null;
  agent?: Agent | null;
  created_at?: string;
}

export type Rating = 'up' | 'down';

/** Answer of GET /chat/conversation: the visitor's current conversation. */
export interface CurrentConversation {
  conversation: { id: string; status: ConversationStatus } | null;
  messages: Message[];
  turn_id?: string | null;
}

/** Body of POST /chat. */
export interface ChatRequest {
  bot_id: string;
  conversation_id: string | null;
  message: string;
  client_message_id: string;
  locale?: string;
  page?: { url: string; title: string };
  visitor?: { id?: string; email?: string; name?: string };
}

/** Answer of GET /bots/{id}/embed-info: all that a page may know of a bot before a visitor speaks. */
export interface EmbedInfo {
  display_name?: string;
  welcome_message?: string;
  placeholder_text?: string;
  primary_color?: string;
  suggested_questions?: string[];
  appearance?: Record<string, string>;
  locale?: string;
  status?: string;
}

/** Every JSON answer is in an envelope; clients branch on `error.code` alone. */
export type Envelope<T> =
  | { status: 'ok'; data: T; meta?: { request_id?: string } }
  | {
      status: 'error';
      error: {
        code: string;
        message: string;
        details?: { field: string; message: string }[] | null;
        retry_after?: number | null;
      };
      meta?: { request_id?: string };
    };
