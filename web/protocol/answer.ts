/** What a turn's stream has said so far: a pure fold of its events. */
import type { Citation, EscalationEvent, FinishEvent, StateEvent, StreamEvent, TurnEvent, WireError } from './wire.ts';

export interface Answer {
  turn: TurnEvent | undefined;
  text: string;
  citations: Citation[];
  escalation: EscalationEvent | undefined;
  state: StateEvent | undefined;
  /** The answer that had been shown was taken back by a rule. */
  withdrawn: boolean;
  error: WireError | undefined;
  finish: FinishEvent | undefined;
  /** The stream said its last word; nothing more will come. */
  done: boolean;
}

export function emptyAnswer(): Answer {
  return {
    turn: undefined,
    text: '',
    citations: [],
    escalation: undefined,
    state: undefined,
    withdrawn: false,
    error: undefined,
    finish: undefined,
    done: false,
  };
}

/** The answer after one more event. A `turn` event begins anew: the stream is told from its start. */
export function fold(answer: Answer, event: StreamEvent): Answer {
  switch (event.type) {
    case 'turn':
      return { ...emptyAnswer(), turn: event.turn };
    case 'text':
      return { ...answer, text: answer.text + event.text };
    case 'citations':
      return { ...answer, citations: event.citations };
    case 'escalation':
      return { ...answer, escalation: event.escalation };
    case 'replace':
      return { ...answer, text: event.content, citations: [], withdrawn: true };
    case 'resync':
      return { ...answer, text: event.content };
    case 'state':
      return { ...answer, state: event.state };
    case 'error':
      return { ...answer, error: event.error };
    case 'finish':
      return { ...answer, finish: event.finish };
    case 'done':
      return { ...answer, done: true };
    case 'prompt':
    case 'usage':
      return answer;
  }
}
