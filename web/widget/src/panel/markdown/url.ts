/** Which addresses an answer may link to, judged after the browser's own parsing. */
const schemes = new Set(['http:', 'https:', 'mailto:', 'tel:']);

export interface SafeUrl {
  href: string;
  /** The host that really answers; "" for mail and telephone. */
  host: string;
}

/** Undefined for whatever is not http, https, mailto or tel, and for an address that depends on the page. */
export function safeUrl(text: string): SafeUrl | undefined {
  try {
    const url = new URL(text);
    if (!schemes.has(url.protocol)) return undefined;
    url.username = url.password = ''; // https://shop.example@evil.example shows what it is
    return { href: url.href, host: url.host };
  } catch {
    return undefined;
  }
}

/** The host to show behind a link's text, where the text names another one than the link goes to. */
export function disguise(text: string, { href, host }: SafeUrl): string {
  const named = /^\s*(?:[a-z]+:\/\/)?(?:[^\s/@]*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/i.exec(text)?.[1]?.toLowerCase();
  const real = host.replace(/:\d+$/, '');
  if (!host || !named || named === real || `www.${named}` === real || named === `www.${real}`) return '';
  return href === text ? '' : host;
}
