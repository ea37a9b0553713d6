/** Looks for what keeps the chat from working on this page, and says what to change. Loaded when asked for. */
import type { Finding, PanelHost } from '../seam.ts';
import type { Tokens } from './tokens.ts';

const PATIENCE = 8000;

function within<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('no answer within 8 s')), PATIENCE);
    }),
  ]);
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function policy(host: PanelHost): Promise<Finding> {
  const seen = [...host.violations];
  await Promise.resolve();
  return {
    check: 'policy',
    ok: seen.length === 0,
    detail: seen.join('; ') || 'No violation of the page’s policy was seen.',
    fix: seen.length ? 'Add the host to these directives of the Content-Security-Policy.' : undefined,
  };
}

async function token(host: PanelHost, tokens: Tokens): Promise<Finding> {
  const { tokenUrl, token: fixed, userId } = host.settings();
  const check = 'token';
  if (!tokenUrl && !fixed)
    return { check, ok: false, detail: 'There is neither a token nor a token address.', fix: 'Set data-token-url.' };
  try {
    const got = await within(tokens.get());
    const left = Math.round((got.life - (performance.now() - got.born)) / 1000);
    const detail = `A token for ${got.anon ? 'an anonymous visitor' : 'a verified visitor'}, ${left} s left.`;
    if (userId && got.anon)
      return { check, ok: false, detail, fix: 'data-user-id is set: mint the token with visitor_id.' };
    return {
      check,
      ok: true,
      detail,
      fix: tokenUrl ? undefined : 'A static token runs out; use data-token-url for production.',
    };
  } catch (error) {
    const { ended } = host.tokens;
    const fix = ended
      ? 'Set data-token-url, or call init with a new token.'
      : `Check that ${tokenUrl ?? ''} answers 200 with {token, expires_at}.`;
    return { check, ok: false, detail: reason(error), fix };
  }
}

async function reach(host: PanelHost): Promise<Finding> {
  const check = 'host';
  try {
    const answer = await within(
      fetch(`${host.server}/v1/modules/scaibot/bots/${encodeURIComponent(host.settings().botId ?? '')}/embed-info`, {
        cache: 'no-store',
      }),
    );
    if (answer.ok) return { check, ok: true, detail: `${host.server} answers and knows the bot.` };
    return {
      check,
      ok: false,
      detail: `${host.server} answered ${answer.status}.`,
      fix: 'Check data-bot-id, and that the bot is active.',
    };
  } catch (error) {
    return {
      check,
      ok: false,
      detail: reason(error),
      fix: `Check that ${host.server} runs, and connect-src of the page’s policy.`,
    };
  }
}

async function chat(host: PanelHost, tokens: Tokens): Promise<Finding> {
  const check = 'chat';
  try {
    const got = await within(tokens.get());
    const answer = await within(
      fetch(`${host.server}/v1/modules/scaibot/chat/conversation`, {
        headers: { Authorization: `Bearer ${got.raw}` },
        cache: 'no-store',
        credentials: 'omit',
      }),
    );
    if (answer.ok) return { check, ok: true, detail: 'The host takes the token from this page.' };
    const body = (await answer.json().catch(() => ({}))) as { error?: { code: string; message: string } };
    return { check, ok: false, detail: `${answer.status} ${body.error?.code ?? ''}`, fix: body.error?.message };
  } catch (error) {
    return { check, ok: false, detail: reason(error), fix: 'See the checks above.' };
  }
}

function scheme(host: PanelHost): Promise<Finding> {
  const ok = isSecureContext && !(location.protocol === 'https:' && host.server.startsWith('http:'));
  return Promise.resolve({
    check: 'https',
    ok,
    detail: `${location.origin} → ${host.server}`,
    fix: ok ? undefined : 'Use HTTPS for both.',
  });
}

export async function examine(host: PanelHost, tokens: Tokens): Promise<Finding[]> {
  const findings = await Promise.all([
    token(host, tokens),
    reach(host),
    chat(host, tokens),
    policy(host),
    scheme(host),
  ]);
  for (const { check, ok, detail, fix } of findings) {
    console[ok ? 'info' : 'error'](
      `scaibot doctor: ${ok ? 'ok' : 'PROBLEM'} ${check}: ${detail}${fix ? ` ${fix}` : ''}`,
    );
  }
  return findings;
}
