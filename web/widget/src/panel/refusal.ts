/** When the host will not talk with this page: what it means and whom it is said to. */
import type { PanelHost } from '../seam.ts';
import { ApiError } from './client.ts';
import type { Happening } from './machine.ts';
import { TokenEnded } from './tokens.ts';

/** Undefined where the error is about one call only. `first`: of a message that would begin a conversation. */
export function refusal(error: unknown, host: PanelHost, first: boolean): Happening | undefined {
  if (error instanceof TokenEnded) return 'expired';
  if (!(error instanceof ApiError)) return undefined;
  const { code, status, message } = error;
  if (code === 'BOT_NOT_ACTIVE') host.gone('bot-not-active');
  else if (code === 'ORIGIN_NOT_ALLOWED') host.report('origin-refused', location.origin);
  else if (code === 'NOT_FOUND' && first)
    host.report('token-refused', host.server); // the token is another bot's
  else if (status !== 401 && status !== 403) return undefined;
  host.emit('error', { code, message });
  return 'refused';
}

/** The host refused a token and there is no other. */
export function tokenRefused(code: string, host: PanelHost): void {
  const over = code !== 'AUTH_TOKEN_INVALID' && !host.settings().tokenUrl;
  host.report(over ? 'token-expired' : 'token-refused', over ? 'data-token' : host.server);
  if (over) host.emit('tokenExpired', {});
}
