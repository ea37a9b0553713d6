/**
 * Where our two elements stand in the page. Set inline and important through CSSOM, which every policy allows and no rule
 * of the page overrides.
 */
const base: Record<string, string> = {
  margin: '0',
  padding: '0',
  border: '0',
  visibility: 'visible',
  'min-width': '0',
  'min-height': '0',
  'max-width': 'none',
  'max-height': 'none',
  'pointer-events': 'auto',
  inset: 'auto',
};

export function place(element: HTMLElement, geometry: Record<string, string>): void {
  for (const [name, value] of Object.entries({ ...base, ...geometry }))
    element.style.setProperty(name, value, 'important');
}

/** Sets or takes back custom properties on an element of ours. */
export function vary(element: HTMLElement, values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value ?? '');
}
