/** What goes to the host with a message of the visitor. */
import type { ChatRequest } from '../../../protocol/wire.ts';
import type { PanelHost } from '../seam.ts';

export function requestOf(host: PanelHost, message: string, id: string, conversationId: string | null): ChatRequest {
  const { url, title } = host.context();
  const claims = host.claims();
  const { botId = '', locale } = host.settings();
  const visitor: NonNullable<ChatRequest['visitor']> = {};
  for (const name of ['id', 'email', 'name'] as const) if (claims[name]) visitor[name] = claims[name];
  return {
    bot_id: botId,
    conversation_id: conversationId,
    message,
    client_message_id: id,
    // What the page says of its chat, else of itself; cut, since a page may say anything.
    locale: ((locale !== 'auto' && locale) || document.documentElement.lang || navigator.language).slice(0, 35),
    // Without query and fragment: sites put into them what is nobody's business.
    page: { url: url ?? location.origin + location.pathname, title: title ?? document.title },
    ...(Object.keys(visitor).length > 0 && { visitor }),
  };
}
