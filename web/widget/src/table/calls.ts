/** Every call of `window.ScaiBot`, once, for the reference; their types are in `loader/global.ts`. */
export const calls: Record<string, { signature: string; doc?: string }> = {
  init: {
    signature: 'init(options): Bot | undefined',
    doc: 'Puts a bot on the page, or replaces the one with the same `botId`. Takes over the tag’s looks, placement, `host` and `token-url`, never its `token` or `user-*`. Given both a token and a URL, the token is used first.',
  },
  destroy: {
    signature: 'destroy(): void',
    doc: 'Takes every bot off the page and leaves nothing: no node, listener, timer or stream.',
  },
  open: { signature: 'open(): void', doc: 'Opens the panel and moves the focus into it.' },
  close: { signature: 'close(): void', doc: 'Closes the panel.' },
  toggle: { signature: 'toggle(): void', doc: 'Opens or closes it.' },
  send: {
    signature: 'send(text): Promise<{sent, messageId?, error?}>',
    doc: 'Sends a message of the visitor; resolves when it is stored.',
  },
  on: { signature: 'on(event, fn): () => void', doc: 'Listens to an event of the list below; the result stops it.' },
  off: { signature: 'off(event, fn): void', doc: 'Stops listening.' },
  identify: {
    signature: 'identify({id, email, name}): Promise<{verified}>',
    doc: 'Says who the visitor is and asks your token address for a new token, which is what proves it.',
  },
  setContext: {
    signature: 'setContext({url, title}): void',
    doc: 'The page that is reported with the next message, where it is not the address bar’s.',
  },
  get: { signature: 'get(botId): Bot | undefined', doc: 'The same calls for one of several bots.' },
  doctor: {
    signature: 'doctor(): Promise<Finding[]>',
    doc: 'Checks token address, host, policy and streaming, prints what it finds, and says what to change.',
  },
  version: { signature: 'version: string', doc: 'Release of the loader.' },
};
