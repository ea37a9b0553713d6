/**
 * Every message that the widget writes to the console, once. Printed as
 * `scaibot[code]: what. Where. Fix. Address of the reference.`
 */
export interface MessageSpec {
  what: string;
  fix: string;
  level?: 'error' | 'warn' | 'info';
}

/** Loaded when one of them is needed. */
export const messages = {
  'policy-blocked': {
    what: 'The page’s Content-Security-Policy blocks the chat',
    fix: 'Add the host to the directive named here',
  },
  'panel-unreachable': {
    what: 'The chat panel could not be loaded',
    fix: 'Check the network, and script-src of the page’s policy',
  },
  'bot-id': {
    what: 'There is no bot id, or this is not one',
    fix: 'Set data-bot-id to the id that begins with bot_, not to the slug; `scaigrid bot list` prints it',
  },
  'bot-not-found': { what: 'The bot does not exist or is archived', fix: 'Check data-bot-id and the host' },
  'bot-not-active': { what: 'The bot is a draft', fix: 'Activate it, or use a preview token' },
  'option-refused': {
    what: 'A value was not understood; the default is used',
    fix: 'See the reference for what it may be',
    level: 'warn',
  },
  'token-none': { what: 'There is neither a token nor a token address', fix: 'Set data-token-url (or data-token)' },
  'token-unreachable': {
    what: 'The token address did not answer',
    fix: 'Check that it exists, answers within 10 s and, on another origin, sends CORS headers',
  },
  'token-status': {
    what: 'The token address did not answer 200',
    fix: 'It must answer 200 with {token, expires_at}, or 204 for no chat',
  },
  'token-html': {
    what: 'The token address answered a web page, perhaps of a sign-in',
    fix: 'Answer JSON also to visitors who are not signed in, without a redirect',
  },
  'token-not-json': {
    what: 'The token address did not answer JSON with a token',
    fix: 'Return the data of POST …/embed-token: {token, expires_at}',
  },
  'token-not-newer': {
    what: 'The token address answered the same token again',
    fix: 'Mint one per request and cache nothing',
    level: 'warn',
  },
  'token-expired': {
    what: 'The static token ran out',
    fix: 'Set data-token-url, or call ScaiBot.init with a new token',
  },
  'mount-missing': {
    what: 'The element to mount into has not appeared for 10 s; still waiting',
    fix: 'Check data-mount',
    level: 'warn',
  },
  'second-tag': {
    what: 'This bot is already on the page; the second tag is ignored',
    fix: 'Remove one of the tags',
    level: 'warn',
  },
  'no-https': {
    what: 'The page or the host is not HTTPS',
    fix: 'Use HTTPS in production; what visitors write can be read on the way',
    level: 'warn',
  },
  'host-unreachable': {
    what: 'The ScaiGrid host did not answer; trying again',
    fix: 'Check that it runs and that connect-src of the page’s policy allows it',
    level: 'warn',
  },
  'origin-refused': {
    what: 'The bot does not answer on this site',
    fix: 'Add the page’s origin to the bot’s allowed origins',
  },
  'token-refused': {
    what: 'The host refused a fresh token',
    fix: 'Mint it for this bot on this host, with a key that is not revoked',
  },
  'user-not-verified': {
    what: 'data-user-id is set but the token is anonymous, so conversations are not attributed',
    fix: 'Mint the token with visitor_id on your server',
    level: 'warn',
  },
} as const satisfies Record<string, MessageSpec>;

export type MessageCode = keyof typeof messages;
