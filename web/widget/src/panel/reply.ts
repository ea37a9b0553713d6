/** From what a turn said to the entry that shows it. */
import type { Answer } from '../../../protocol/answer.ts';
import { ApiError } from './client.ts';
import type { Entry, Failure } from './entry.ts';

/** The reply while words come. */
export function hear(reply: Entry, { text, citations, escalation }: Answer): void {
  if (text) reply.text = text;
  reply.citations = citations;
  if (escalation) reply.note = escalation.message;
}

/** The reply when all was said. False where there is nothing to show. */
export function conclude(reply: Entry, { error, finish, escalation }: Answer): boolean {
  if (error) {
    Object.assign(reply, { status: 'failed', failure: { ...error, retryable: error.retryable === true } });
    return true;
  }
  const reason = finish?.finish_reason ?? '';
  reply.status = reason === 'stopped' || reason === 'interrupted' ? reason : 'complete';
  if (!reply.text && escalation) reply.text = escalation.message;
  if (reply.text.includes(reply.note)) reply.note = '';
  return reply.text !== '' || reply.status !== 'complete';
}

/** Why a message of the visitor was not delivered. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ApiError)) return { code: 'UNSENT', message: 'The message was not sent.', retryable: true };
  const { code, message, status, retryAfter } = error;
  return { code, message, retryable: status === 429 || status >= 500, retryAfter };
}
