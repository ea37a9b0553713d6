/**
 * What the panel is doing, as a table: state × event → state. An event that a state does not name changes nothing.
 * The entries of a conversation live beside it; this says what the visitor may do and what the panel tells him.
 */
export type State =
  | 'idle' // not opened yet
  | 'connecting' // getting a token and the conversation
  | 'ready'
  | 'sending' // said, not stored yet
  | 'searching' // stored, no word of the answer yet
  | 'streaming'
  | 'reconnecting' // the link was cut; trying again
  | 'offline' // the browser knows of no network
  | 'waiting' // a person was asked for
  | 'human' // a person answers
  | 'refused' // the host will not talk to this page
  | 'ended'; // the static token ran out

export type Happening =
  | 'open'
  | 'restored'
  | 'send'
  | 'accepted'
  | 'words'
  | 'finished'
  | 'failed'
  | 'cut'
  | 'offline'
  | 'online'
  | 'waiting'
  | 'human'
  | 'released'
  | 'refused'
  | 'expired'
  | 'reset';

type Row = Partial<Record<Happening, State>>;

/** From wherever a conversation is under way. */
const always: Row = { refused: 'refused', expired: 'ended', reset: 'connecting', waiting: 'waiting', human: 'human' };

export const table: Record<State, Row> = {
  idle: { open: 'connecting' },
  connecting: {
    ...always,
    restored: 'ready',
    accepted: 'searching',
    send: 'sending',
    cut: 'reconnecting',
    offline: 'offline',
  },
  ready: {
    ...always,
    send: 'sending',
    accepted: 'searching',
    words: 'streaming',
    cut: 'reconnecting',
    offline: 'offline',
  },
  sending: {
    ...always,
    accepted: 'searching',
    words: 'streaming',
    finished: 'ready',
    failed: 'ready',
    cut: 'reconnecting',
    offline: 'offline',
  },
  searching: {
    ...always,
    words: 'streaming',
    finished: 'ready',
    failed: 'ready',
    cut: 'reconnecting',
    offline: 'offline',
  },
  streaming: {
    ...always,
    accepted: 'searching',
    finished: 'ready',
    failed: 'ready',
    cut: 'reconnecting',
    offline: 'offline',
  },
  reconnecting: {
    ...always,
    restored: 'ready',
    send: 'sending',
    accepted: 'searching',
    words: 'streaming',
    finished: 'ready',
    failed: 'ready',
    offline: 'offline',
  },
  offline: {
    ...always,
    online: 'reconnecting',
    restored: 'ready',
    send: 'sending',
    accepted: 'searching',
    words: 'streaming',
    finished: 'ready',
    failed: 'ready',
  },
  waiting: { ...always, released: 'ready', send: 'sending', cut: 'reconnecting', offline: 'offline' },
  human: { ...always, released: 'ready', send: 'sending', cut: 'reconnecting', offline: 'offline' },
  refused: { reset: 'connecting' },
  ended: { reset: 'connecting' },
};

export const next = (state: State, happening: Happening): State => table[state][happening] ?? state;

/** What the visitor may do in a state. */
export interface Manners {
  /** The input takes text. */
  type: boolean;
  /** What is typed may be sent; where the link is away it waits and goes out once. */
  send: boolean;
  /** An answer is on its way and may be stopped. */
  stop: boolean;
}

export function manners(state: State, answering: boolean): Manners {
  const closed = state === 'refused' || state === 'ended';
  return { type: !closed, send: !closed && !answering, stop: answering };
}
