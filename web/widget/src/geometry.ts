/**
 * Where our two elements stand in the page. Set inline and important through CSSOM, which every policy allows and no rule
 * of the page overrides.
 */
const base: Record<string, string> = {
  margin: '0',
  padding: '0',
  border: '0',
  float: 'none',
  transform: 'none',
  visibility: 'visible',
  'box-sizing': 'border-box',
  'min-width': '0',
  'min-height': '0',
  'max-width': 'none',
  'max-height': 'none',
  'pointer-events': 'auto',
  inset: 'auto',
};

export function place(element: HTMLElement, geometry: Record<string, string>): void {
  const all = { ...base, ...geometry };
  for (const name in all) element.style.setProperty(name, all[name] ?? '', 'important');
}

/** Sets or takes back custom properties on an element of ours. */
export function vary(element: HTMLElement, values: Record<string, string | undefined>): void {
  for (const name in values) element.style.setProperty(name, values[name] ?? '');
}

/** The bot's variables under the names by which our sheets look for them, below the page's. */
export function bots(values: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name in values) out[name.replace('--scaibot-', '--sb-bot-')] = values[name] ?? '';
  return out;
}
